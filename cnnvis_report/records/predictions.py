"""What a network said of labeled images, counted, as plain data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnvis_report.records.images import ClassScore, ImageRecord

TOP = 5  # scores of an image that are kept, the highest ones
BINS = 10  # of the probability of the first class
LISTED_UP_TO = 1000


@dataclass(frozen=True)
class Prediction:
    """What the network predicts for one labeled image.

    image: its id where it has a page; empty elsewhere.
    name: the file.
    label: the name of its label.
    predicted: the name of the class of the highest score.
    correct: whether the prediction is the label.
    probability: of the predicted class, from 0 to 1.
    label_probability: of the label, from 0 to 1; None where it wasn't kept.
    rank: of the label among the five highest scores, from 1; None below them.
    """

    image: str
    name: str
    label: str
    predicted: str
    correct: bool
    probability: float
    label_probability: float | None
    rank: int | None


@dataclass(frozen=True)
class Bin:
    """Predictions whose probability lies within one tenth of 0 to 1.

    images: how many there are; for labels, one for each image and label.
    correct: how many of them are correct; for labels, how many images bear the label.
    mean: their mean probability.
    """

    images: int
    correct: int
    mean: float


@dataclass(frozen=True)
class Predictions:
    """Counts over all labeled images.

    images: how many there are.
    correct: how many are classified correctly.
    top5: of how many the label is among the five highest scores.
    confusion: label, prediction, and how many images have both; pairs that occur, by name.
    bins: ten, by the probability of the predicted class.
    misclassified: the images that are classified wrongly, most confident first, at most 1000.
    confidence_correct: the mean probability of the predicted class over the correct images; 0 where there is none.
    unknown: images beside these, none of whose labels the network knows.
    """

    images: int
    correct: int
    top5: int
    confusion: tuple[tuple[str, str, int], ...]
    bins: tuple[Bin, ...]
    misclassified: tuple[Prediction, ...]
    confidence_correct: float
    unknown: int = 0

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.correct / self.images if self.images else 0.0

    @property
    def calibration_error(self) -> float:
        """How far probability and accuracy are apart, in the mean over images: Guo et al. 2017, arXiv:1706.04599."""
        return sum(abs(interval.correct - interval.images * interval.mean) for interval in self.bins) / max(
            1, self.images
        )

    @property
    def confidence_misclassified(self) -> float:
        """The mean probability of the first class where it is wrong; 0 where it never is."""
        total = sum(interval.mean * interval.images for interval in self.bins)
        return (total - self.confidence_correct * self.correct) / max(1, self.images - self.correct)


def prediction_of(image: str, name: str, top: Sequence[ClassScore], labels: Sequence[ClassScore]) -> Prediction:
    """The prediction for an image that has one label, or several of which each counts as correct.

    Of several, the label is the one with the highest score; the first where none is among the highest.

    Args:
        image: its id. top: the highest scores, highest first. labels: the scores of the labels; where one isn't among
            `top` its probability may be None.
    """
    ranks = {score.index: rank for rank, score in enumerate(top[:TOP], start=1)}
    label = min(labels, key=lambda score: ranks.get(score.index, TOP + 1))
    return Prediction(
        image=image,
        name=name,
        label=label.name,
        predicted=top[0].name,
        correct=label.index == top[0].index,
        probability=top[0].probability or 0.0,
        label_probability=label.probability,
        rank=ranks.get(label.index),
    )


def prediction_of_image(image: ImageRecord) -> Prediction:
    """The prediction for an explained image whose labels exclude each other."""
    probabilities = {score.index: score.probability for score in (*image.top, *image.targets)}
    labels = [
        ClassScore(label.index, label.name, 0.0, probabilities.get(label.index))
        for label in image.named
        if label.index is not None
    ]
    return prediction_of(image.id, image.name, image.top, labels)


class PredictionCounter:
    """Counts answers one by one."""

    def __init__(self) -> None:
        self.images, self.right, self.in_top, self.unknown = 0, 0, 0, 0
        self._confused: Counter[tuple[str, str]] = Counter()
        self._bins = [[0, 0, 0.0] for _ in range(BINS)]
        self._right_sum = 0.0
        self._wrong: list[Prediction] = []

    def add(self, answer: Prediction) -> None:
        """Count one in."""
        self.images += 1
        self.right += answer.correct
        self.in_top += answer.rank is not None and answer.rank <= 5
        self._confused[answer.label, answer.predicted] += 1
        bin_counts = self._bins[min(BINS - 1, int(answer.probability * BINS))]
        bin_counts[0] += 1
        bin_counts[1] += answer.correct
        bin_counts[2] += answer.probability
        self._right_sum += answer.probability * answer.correct
        if not answer.correct:
            self._wrong.append(answer)

    def result(self) -> Predictions:
        """Everything so far."""
        surest = sorted(self._wrong, key=lambda error: (-error.probability, error.name))
        return Predictions(
            images=self.images,
            correct=self.right,
            top5=self.in_top,
            confusion=tuple((label, predicted, count) for (label, predicted), count in sorted(self._confused.items())),
            bins=tuple(Bin(int(n), int(right), total / n if n else 0.0) for n, right, total in self._bins),
            misclassified=tuple(surest[:LISTED_UP_TO]),
            confidence_correct=self._right_sum / self.right if self.right else 0.0,
            unknown=self.unknown,
        )


def count(answers: Iterable[Prediction], unknown: int = 0) -> Predictions:
    """All of them, counted; beside them so many images with labels that the network doesn't know."""
    counting = PredictionCounter()
    counting.unknown = unknown
    for answer in answers:
        counting.add(answer)
    return counting.result()
