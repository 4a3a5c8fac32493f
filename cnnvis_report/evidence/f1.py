"""Macro-F1 with a bootstrap interval."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.statistics import CONFIDENCE, FEWEST
from cnnvis_report.records.evidence import Interval

RESAMPLES = 1000

Counts = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def macro_f1(confusion: Sequence[tuple[str, str, int]], seed: int = 0) -> Interval:
    """The mean over classes of F1 = 2 TP / (images of the class + predictions of it).

    Classes count that occur, as a label or as a prediction. The interval holds 95% of what resamples of the images
    give (percentile bootstrap).

    Args:
        confusion: label, prediction, and how many images have both.

    Returns:
        Without ends where there are too few images for an interval.
    """
    names = sorted({name for label, predicted, _ in confusion for name in (label, predicted)})
    index = {name: position for position, name in enumerate(names)}
    labels = np.array([index[label] for label, _, _ in confusion], dtype=np.intp)
    predictions = np.array([index[predicted] for _, predicted, _ in confusion], dtype=np.intp)
    counts = np.array([count for _, _, count in confusion], dtype=np.float64)
    images = int(counts.sum())
    mean = _macro_f1(labels, predictions, counts) if images else 0.0
    if images < FEWEST:
        return Interval(mean, None, None, images)
    generator = np.random.default_rng(seed)
    drawn = (generator.multinomial(images, counts / images) for _ in range(RESAMPLES))  # one by one: pairs may be many
    values = [_macro_f1(labels, predictions, resample.astype(np.float64)) for resample in drawn]
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean, float(low), float(high), images)


def _macro_f1(labels: Indices, predictions: Indices, counts: Counts) -> float:
    correct = np.bincount(labels, weights=counts * (labels == predictions))
    size = max(int(labels.max()), int(predictions.max())) + 1
    both = np.bincount(labels, weights=counts, minlength=size) + np.bincount(
        predictions, weights=counts, minlength=size
    )
    correct = np.pad(correct, (0, size - len(correct)))
    occurring = both > 0
    return float((2 * correct[occurring] / both[occurring]).mean())
