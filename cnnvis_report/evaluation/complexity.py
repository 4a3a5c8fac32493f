"""Sparseness and complexity: on how few pixels a map lies."""

import numpy as np
import numpy.typing as npt

from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.evaluation.pixel_order import stacked
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricKind


@metric(
    title="Sparseness",
    description="Gini index of the map's magnitudes: 0 for a flat map, 1 for a single pixel",
    higher_is_better=True,
    kind=MetricKind.COMPLEXITY,
    source="Chalasani et al. 2020, arXiv:1810.06583",
)
def sparseness(sample: MapsOfImage) -> Scores:
    """The Gini index of each map at the image's size, so that coarse maps are compared with fine ones."""
    return Scores([gini_index(values) for values in _at_image_size(sample)])


@metric(
    title="Complexity",
    description="Entropy of the map's magnitudes in nats: 0 for a single pixel, ln of the number of pixels at most",
    higher_is_better=False,
    kind=MetricKind.COMPLEXITY,
    source="Bhatt et al. 2020, arXiv:2005.00631",
)
def complexity(sample: MapsOfImage) -> Scores:
    """The entropy of each map at the image's size."""
    return Scores([entropy(values) for values in _at_image_size(sample)])


def _at_image_size(sample: MapsOfImage) -> list[Array]:
    return [stacked([values], sample.image.shape[1:])[0].numpy() for values in sample.tensors]


def gini_index(values: Array) -> float:
    """How unequal the magnitudes of a map are: 0 where all are equal, 1 - 1/P where one of P pixels has everything.

    With magnitudes v_1 ≤ … ≤ v_P: sum over k of (2 k - P - 1) v_k / (P sum of v). A map of zeros, whose magnitudes are
    equal, gives 0.

    Source: Chalasani et al. 2020, arXiv:1810.06583.
    """
    ordered = np.sort(_magnitudes(values))
    total = float(ordered.sum())
    ranks = 2 * np.arange(1, ordered.size + 1) - ordered.size - 1
    return float(ranks @ ordered) / (ordered.size * total) if total > 0 else 0.0


def entropy(values: Array) -> float:
    """The entropy of a map's magnitudes as shares of their sum, in nats: 0 for one pixel, ln P for P equal ones.

    A map of zeros, whose magnitudes are equal, gives ln P.

    Source: Bhatt et al. 2020, arXiv:2005.00631, complexity.
    """
    magnitudes = _magnitudes(values)
    total = float(magnitudes.sum())
    shares = magnitudes[magnitudes > 0] / total if total > 0 else np.full(magnitudes.size, 1 / magnitudes.size)
    return max(0.0, -float((shares * np.log(shares)).sum()))


def _magnitudes(values: Array) -> npt.NDArray[np.float64]:
    """Between 0 and 1, so that no sum overflows or vanishes."""
    magnitudes = np.abs(values.astype(np.float64)).ravel()
    return magnitudes / (magnitudes.max() or 1.0)
