"""How well each class is predicted, counted, and macro-F1 with a bootstrap interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.statistics import CONFIDENCE, FEWEST
from cnnvis_report.records.evidence import Interval

RESAMPLES = 1000
AT_ONCE = 1 << 18  # counts of resamples

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
    mean = float(_macro_f1(labels, predictions, counts[None])[0]) if images else 0.0
    if images < FEWEST:
        return Interval(mean, None, None, images)
    generator = np.random.default_rng(seed)
    at_once = max(1, AT_ONCE // len(counts))  # pairs of classes may be many
    values = np.concatenate(
        [
            _macro_f1(
                labels, predictions, generator.multinomial(images, counts / images, min(at_once, RESAMPLES - begun))
            )
            for begun in range(0, RESAMPLES, at_once)
        ]
    )
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean, float(low), float(high), images)


def _macro_f1(labels: Indices, predictions: Indices, counts: npt.NDArray[Any]) -> Counts:
    """Of each row of counts [N, pairs], [N]."""
    size = int(max(labels.max(), predictions.max())) + 1
    correct = _sums(labels, counts * (labels == predictions), size)
    both = _sums(labels, counts, size) + _sums(predictions, counts, size)
    f1: Counts = np.divide(2 * correct, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(f1.sum(axis=1) / (both > 0).sum(axis=1))


def _sums(classes: Indices, counts: npt.NDArray[Any], size: int) -> Counts:
    """The counts of each row summed by class, [N, size]."""
    rows = len(counts)
    cells = np.arange(rows)[:, None] * size + classes
    sums = np.bincount(cells.ravel(), weights=counts.ravel(), minlength=rows * size)
    return sums.reshape(rows, size).astype(np.float64, copy=False)


@dataclass(frozen=True)
class ClassCounts:
    """A class: how many images bear it, for how many it is predicted, and how many are both."""

    images: int
    predicted: int
    correct: int

    @property
    def recall(self) -> float | None:
        """Of the images of the class, the share for which it is predicted."""
        return self.correct / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """Of the images for which the class is predicted, the share that bears it."""
        return self.correct / self.predicted if self.predicted else None


def class_counts(confusion: Sequence[tuple[str, str, int]]) -> dict[str, ClassCounts]:
    """The counts of every class that occurs, by name.

    Args:
        confusion: label, prediction, and how many images have both.
    """
    counts = {name: [0, 0, 0] for name in sorted({name for pair in confusion for name in pair[:2]})}
    for label, predicted, images in confusion:
        counts[label][0] += images
        counts[predicted][1] += images
        counts[label][2] += images if label == predicted else 0
    return {name: ClassCounts(*amounts) for name, amounts in counts.items()}
