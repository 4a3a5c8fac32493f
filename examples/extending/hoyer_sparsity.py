"""A metric: how few pixels of a map hold most of it, by two norms."""

import numpy as np

from cnnvis_report.plugin import MapsOfImage, Scores, metric


@metric(
    title="Hoyer sparsity",
    description="From the norms of the map: 0 where all magnitudes are equal, 1 where one pixel holds everything",
    higher_is_better=True,
)
def hoyer_sparsity(given: MapsOfImage) -> Scores:
    """Hoyer 2004, JMLR 5: (sqrt(n) - ||v||_1 / ||v||_2) / (sqrt(n) - 1) of n values."""
    return Scores([sparsity(values) for values in given.maps])


def sparsity(values: np.ndarray) -> float:
    """Hoyer's sparsity of a map [h, w]; 0 where it holds nothing, or is a single pixel."""
    magnitudes = np.abs(values, dtype=float)
    root, norm = values.size**0.5, float(np.linalg.norm(magnitudes))
    return (root - float(magnitudes.sum()) / norm) / (root - 1) if norm > 0 and root > 1 else 0.0
