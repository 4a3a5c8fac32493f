"""One pass over a run's images: everything that the overview says of them as a whole."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from cnnvis_report.records.images import ClassScore, ImageRecord, MapRecord
from cnnvis_report.records.labels import LabelCounter, LabelPredictions
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics
from cnnvis_report.records.predictions import Prediction, PredictionCounter, Predictions, prediction_of
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.store.run_folder import StoredRun


@dataclass
class MethodSummary:
    """What a method did over the run: maps and gaps, passes, its checks."""

    maps: int = 0
    gaps: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    peaks: int = 0
    peaks_inside: int = 0
    residuals: list[float] = field(default_factory=list)
    conserved: list[float] = field(default_factory=list)
    measured: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    curves: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))
    example: MapRecord | None = None

    def add(self, found: MapRecord) -> None:
        """Count one map in."""
        self.maps += 1
        self.example = self.example or found
        inside = found.evidence.notes.get("peak_inside")
        if inside is not None:
            self.peaks += 1
            self.peaks_inside += bool(inside)
        residual = found.evidence.notes.get("residual")
        if isinstance(residual, float):
            self.residuals.append(residual)
        kept = found.evidence.notes.get("conservation")
        if isinstance(kept, float):
            self.conserved.append(kept)

    def measure(self, found: MapMetrics) -> None:
        """Count what one map was worth in."""
        for name, value in found.values.items():
            self.measured[name].append(value)
        for name, curve in found.curves.items():
            self.curves[name].append(curve)


@dataclass
class Summary:
    """Counts over all images of the run; `answers` over all labeled ones that the network was asked about.

    labeled: images that are answered right or wrong; unknown: those with labels of which the network knows none.
    certain: the sum of the first probabilities. lowest, highest: the first value of any image, where scores are values.
    answers, label_answers: None where no image has a label, the latter also where an image has one class.
    """

    images: int = 0
    labeled: int = 0
    unknown: int = 0
    right: int = 0
    masked: int = 0
    mask_fraction: float = 0.0
    maps: int = 0
    gaps: int = 0
    classes: int = 0
    certain: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")
    predicted: Counter[tuple[int, str]] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    answers: Predictions | None = None
    label_answers: LabelPredictions | None = None
    agreement: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    methods: dict[str, MethodSummary] = field(default_factory=lambda: defaultdict(MethodSummary))

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        first = image.top[0]
        self.images += 1
        self.masked += image.mask_fraction is not None
        self.mask_fraction += image.mask_fraction or 0.0
        self.maps += len(image.maps)
        self.gaps += len(image.not_applicable)
        self.classes = max(self.classes, len(image.targets))
        seen = image.predicted if image.kind is ScoreKind.SIGMOID else image.top[:1]
        for score in seen if image.kind.judged else ():
            self.predicted[score.index, score.name] += 1
        self.certain += first.probability or 0.0
        self.lowest, self.highest = min(self.lowest, first.logit), max(self.highest, first.logit)
        self.labels.update(label.name for label in image.named)
        if image.correct is not None:
            self.labeled += 1
            self.right += image.correct
        elif image.kind.judged:
            self.unknown += bool(image.named)
        for found in image.maps:
            self.methods[found.method].add(found)
        if image.metrics is not None:
            self._measure(image.metrics)
        for gap in image.not_applicable:
            self.methods[gap.method].gaps += 1
            self.methods[gap.method].reasons[gap.reason] += 1

    def _measure(self, worth: ImageMetrics) -> None:
        for row, found in zip(worth.agreement, worth.maps, strict=True):
            self.methods[found.method].measure(found)
            for value, other in zip(row, worth.maps, strict=True):
                if value is not None:
                    self.agreement[found.method, other.method].append(value)


def summarize(run: StoredRun) -> Summary:
    """The summary of a run, read image by image."""
    summary, counting, of_labels = Summary(), PredictionCounter(), LabelCounter(run.record.network.names)
    for image in run.images():
        summary.add(image)
        if image.correct is None:
            continue
        if image.kind is ScoreKind.SIGMOID:
            shares = _shares(image, run.record.network.quantity)
            of_labels.add(image.id, image.name, image.known, image.scores, shares)
        else:
            counting.add(_prediction(image))
    counting.unknown = of_labels.unknown = summary.unknown
    summary.answers = run.record.predictions or (counting.result() if counting.images else None)
    summary.label_answers = run.record.label_predictions or (of_labels.result() if of_labels.images else None)
    return summary


def _shares(image: ImageRecord, quantity: Quantity) -> list[float]:
    """The probability of each label, from its score."""
    scores = np.asarray(image.scores, dtype=float)
    if quantity is Quantity.LOGIT:
        scores = (1 + np.tanh(scores / 2)) / 2  # the sigmoid, without an overflow
    elif quantity is Quantity.LOG_PROBABILITY:
        scores = np.exp(scores)
    return [float(each) for each in scores]


def _prediction(image: ImageRecord) -> Prediction:
    probabilities = {score.index: score.probability for score in (*image.top, *image.targets)}
    labels = [
        ClassScore(label.index, label.name, 0.0, probabilities.get(label.index))
        for label in image.named
        if label.index is not None
    ]
    return prediction_of(image.id, image.name, image.top, labels)
