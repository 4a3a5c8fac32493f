"""Statistics over all images of a run, gathered in one pass."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.labels import LabelCounter, LabelPredictions
from cnnvis_report.records.metrics import ImageMetrics
from cnnvis_report.records.predictions import BINS, PredictionCounter, Predictions, prediction_of_image
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.store.run_folder import StoredRun


@dataclass
class MethodSummary:
    """A method over the run: how many maps it gave, why some are missing, and the first map."""

    maps: int = 0
    missing: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    example: MapRecord | None = None

    def add(self, record: MapRecord) -> None:
        """Count one map in."""
        self.maps += 1
        self.example = self.example or record


@dataclass
class Summary:
    """Statistics over all images of the run; `predictions` are over all labeled ones that were classified.

    labeled, correct: images whose prediction can be judged, and how many of them are classified correctly.
    unknown: images with labels, none of which the network knows.
    classes: how many an image has explained at most.
    confidence: the sum of the highest probabilities, or shares. confidences: how many lie in each tenth from 0 to 1.
    least_confident, most_confident: the smallest and the largest. lowest, highest: the first value of any image, where
    scores are values.
    predicted: how many images each class is predicted for, by index and name. labels: the same of the labels, by name.
    predictions, label_predictions: None where no image has a label; the latter where an image can have several.
    agreement: rank correlations of the maps of two methods.
    """

    images: int = 0
    labeled: int = 0
    unknown: int = 0
    correct: int = 0
    maps: int = 0
    missing: int = 0
    classes: int = 0
    confidence: float = 0.0
    confidences: list[int] = field(default_factory=lambda: [0] * BINS)
    least_confident: float = 1.0
    most_confident: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")
    predicted: Counter[tuple[int, str]] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    predictions: Predictions | None = None
    label_predictions: LabelPredictions | None = None
    agreement: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    methods: dict[str, MethodSummary] = field(default_factory=lambda: defaultdict(MethodSummary))

    @property
    def judged(self) -> bool:
        """Whether any prediction can be right or wrong."""
        return self.predictions is not None or self.label_predictions is not None

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        self.images += 1
        self.maps += len(image.maps)
        self.missing += len(image.not_applicable)
        self.classes = max(self.classes, len(image.targets))
        predicted = image.predicted if image.kind is ScoreKind.SIGMOID else image.top[:1]
        for score in predicted if image.kind.has_classes else ():
            self.predicted[score.index, score.name] += 1
        for first in image.top[:1]:
            self._add_confidence(first.share or 0.0)
            self.lowest, self.highest = min(self.lowest, first.logit), max(self.highest, first.logit)
        self.labels.update(label.name for label in image.named)
        if image.correct is not None:
            self.labeled += 1
            self.correct += image.correct
        elif image.kind.judged:
            self.unknown += bool(image.named)
        for record in image.maps:
            self.methods[record.method].add(record)
        if image.metrics is not None:
            self._add_agreement(image.metrics)
        for gap in image.not_applicable:
            self.methods[gap.method].missing += 1
            self.methods[gap.method].reasons[gap.reason] += 1

    def _add_confidence(self, probability: float) -> None:
        self.confidence += probability
        self.confidences[min(BINS - 1, int(probability * BINS))] += 1
        self.least_confident = min(self.least_confident, probability)
        self.most_confident = max(self.most_confident, probability)

    def _add_agreement(self, metrics: ImageMetrics) -> None:
        for row, scored in zip(metrics.agreement, metrics.maps, strict=True):
            for value, other in zip(row, metrics.maps, strict=True):
                if value is not None:
                    self.agreement[scored.method, other.method].append(value)


def summarize(run: StoredRun) -> Summary:
    """The statistics of a run, read image by image."""
    summary, counter, labels = Summary(), PredictionCounter(), LabelCounter(run.record.network.names)
    for image in run.images():
        summary.add(image)
        if image.correct is None:
            continue
        if image.kind is ScoreKind.SIGMOID:
            probabilities = _probabilities(image, run.record.network.quantity)
            labels.add(image.id, image.name, image.known, image.scores, probabilities)
        else:
            counter.add(prediction_of_image(image))
    counter.unknown = labels.unknown = summary.unknown
    summary.predictions = run.record.predictions or (counter.result() if counter.images else None)
    summary.label_predictions = run.record.label_predictions or (labels.result() if labels.images else None)
    return summary


def _probabilities(image: ImageRecord, quantity: Quantity) -> list[float]:
    """The probability of each label, from its score."""
    scores = np.asarray(image.scores, dtype=float)
    if quantity is Quantity.LOGIT:
        scores = (1 + np.tanh(scores / 2)) / 2  # the sigmoid, without an overflow
    elif quantity is Quantity.LOG_PROBABILITY:
        scores = np.exp(scores)
    return [float(score) for score in scores]
