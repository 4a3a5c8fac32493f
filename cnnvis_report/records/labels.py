"""What a network said of images that can bear several labels, counted label by label, as plain data."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.predictions import BINS, LISTED_UP_TO, Bin


@dataclass(frozen=True)
class LabelCounts:
    """How well one label is predicted.

    name: of the label.
    images: how many bear it.
    predicted: for how many it is predicted, with a probability above 0.5.
    correct: how many of either are both.
    average_precision: the area under precision over recall, from 0 to 1; None where no image bears it.
    """

    name: str
    images: int
    predicted: int
    correct: int
    average_precision: float | None

    @property
    def precision(self) -> float | None:
        """Of the images for which it is predicted, the share that bears it."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Of the images that bear it, the share for which it is predicted."""
        return self.correct / self.images if self.images else None


@dataclass(frozen=True)
class LabelErrors:
    """The errors of one image that can have several labels.

    image: its id where it has a page; empty elsewhere.
    name: the file.
    missed: labels that it bears and that aren't predicted, with their probabilities.
    extra: labels that are predicted and that it doesn't bear, with their probabilities.
    """

    image: str
    name: str
    missed: tuple[tuple[str, float], ...]
    extra: tuple[tuple[str, float], ...]

    @property
    def margin(self) -> float:
        """How far the worst of them is on the wrong side of 0.5."""
        return max([0.5 - share for _, share in self.missed] + [share - 0.5 for _, share in self.extra], default=0.0)


@dataclass(frozen=True)
class LabelPredictions:
    """Counts over all images with a label that the network knows, where an image can have several labels.

    images: how many there are.
    exact: for how many exactly their labels are predicted, and no others.
    labels: counts label by label, in the order of the classes.
    bins: ten, by probability, one count for each image and label.
    misclassified: the images with errors, most confident error first, at most 1000.
    unknown: images beside these, none of whose labels the network knows.
    """

    images: int
    exact: int
    labels: tuple[LabelCounts, ...]
    bins: tuple[Bin, ...]
    misclassified: tuple[LabelErrors, ...]
    unknown: int = 0

    @property
    def mean_average_precision(self) -> float | None:
        """The mean over the labels that some image bears."""
        precisions = [label.average_precision for label in self.labels if label.average_precision is not None]
        return sum(precisions) / len(precisions) if precisions else None

    @property
    def precision(self) -> float | None:
        """Of all labels that are predicted, the share that images bear."""
        predicted = sum(label.predicted for label in self.labels)
        return sum(label.correct for label in self.labels) / predicted if predicted else None

    @property
    def recall(self) -> float | None:
        """Of all labels that images bear, the share that is predicted."""
        borne = sum(label.images for label in self.labels)
        return sum(label.correct for label in self.labels) / borne if borne else None

    @property
    def calibration_error(self) -> float:
        """How far probability and share are apart, in the mean over all decisions."""
        total = sum(interval.images for interval in self.bins)
        return sum(abs(interval.correct - interval.images * interval.mean) for interval in self.bins) / max(1, total)


class LabelCounter:
    """Counts images one by one; only their scores are kept, four bytes a label."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.exact, self.unknown = 0, 0
        self._scores: list[npt.NDArray[np.float32]] = []
        self._truths: list[npt.NDArray[np.bool_]] = []
        self._predicted = np.zeros(len(names), dtype=int)
        self._right = np.zeros(len(names), dtype=int)
        self._bins = np.zeros((BINS, 3))
        self._wrong: list[LabelErrors] = []

    def add(
        self, image: str, name: str, known: Collection[int], scores: Sequence[float], probabilities: Sequence[float]
    ) -> None:
        """Count one in. known: the classes that its labels are. scores: for the order of images, of any scale."""
        truth, shares = np.zeros(len(self.names), dtype=bool), np.asarray(probabilities, dtype=float)
        truth[list(known)] = True
        predicted = shares > 0.5
        self._scores.append(np.asarray(scores, dtype=np.float32))
        self._truths.append(truth)
        self._predicted += predicted
        self._right += predicted & truth
        bins = np.minimum(BINS - 1, (shares * BINS).astype(int))
        for column, weights in enumerate((np.ones_like(shares), truth, shares)):
            self._bins[:, column] += np.bincount(bins, weights=weights, minlength=BINS)
        if bool((predicted == truth).all()):
            self.exact += 1
            return
        missed, extra = (
            tuple((self.names[k], round(float(shares[k]), 6)) for k in np.flatnonzero(mask).tolist())
            for mask in (truth & ~predicted, predicted & ~truth)
        )
        self._wrong.append(LabelErrors(image, name, missed, extra))

    @property
    def images(self) -> int:
        """How many are counted in."""
        return len(self._scores)

    def result(self) -> LabelPredictions:
        """Everything so far."""
        shape = (len(self._scores), len(self.names))
        scores, truths = np.array(self._scores).reshape(shape), np.array(self._truths, dtype=bool).reshape(shape)
        labels = tuple(
            LabelCounts(
                name=name,
                images=int(truths[:, k].sum()),
                predicted=int(self._predicted[k]),
                correct=int(self._right[k]),
                average_precision=average_precision(truths[:, k], scores[:, k]),
            )
            for k, name in enumerate(self.names)
        )
        worst = sorted(self._wrong, key=lambda error: (-error.margin, error.name))
        return LabelPredictions(
            images=len(self._scores),
            exact=self.exact,
            labels=labels,
            bins=tuple(Bin(int(n), int(borne), total / n if n else 0.0) for n, borne, total in self._bins.tolist()),
            misclassified=tuple(worst[:LISTED_UP_TO]),
            unknown=self.unknown,
        )


def average_precision(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]) -> float | None:
    """The area under precision over recall, as steps: sum over ranks of (R_n − R_{n−1}) P_n; None without a positive.

    Images of one score have one rank, so that their order doesn't matter, and nothing is interpolated.
    """
    positives = int(truth.sum())
    if not positives:
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # the last image of each rank
    hits = np.cumsum(truth[order])[last]
    gained = np.diff(hits, prepend=0) / positives
    return float((gained * hits / (last + 1)).sum())
