"""A metric: how few pixels of a map hold most of it."""

import numpy as np

from cnnvis_report.plugin import MapsOfImage, Scores, metric


@metric(
    title="Sparseness",
    description="Gini index of the map's magnitudes: 0 where all are equal, near 1 where few pixels hold everything",
    higher_is_better=True,
)
def sparseness(given: MapsOfImage) -> Scores:
    """Chalasani et al. 2020, arXiv:1810.06583: sum_k (2k - n - 1) |v_k| / (n sum_k |v_k|), v_k in ascending order."""
    return Scores([gini_index(values) for values in given.maps])


def gini_index(values: np.ndarray) -> float:
    """The Gini index of the magnitudes [h, w]; 0 where there are none."""
    magnitudes = np.sort(np.abs(values, dtype=float), axis=None)
    count, total = magnitudes.size, magnitudes.sum()
    return float((2 * np.arange(1, count + 1) - count - 1) @ magnitudes / (count * total)) if total > 0 else 0.0
