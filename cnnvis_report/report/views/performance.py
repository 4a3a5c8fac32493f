"""The performance page: what the network predicts correctly and what not, and how it was trained."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cnnvis_report.records.labels import LabelCounts, LabelErrors, LabelPredictions
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.predictions import BINS, Bin, Prediction, Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.training import Training, training
from cnnvis_report.report.views.verdict import labels_by_precision

ERRORS = 60  # that the page lists


@dataclass(frozen=True)
class ClassRow:
    """A class: how many images bear it, for how many it is predicted, how many are both; its most frequent error.

    confused_with: the class that its images are most often misclassified as, `times` of them; "" where none is.
    explained: whether the run has pages of such images.
    """

    name: str
    images: int
    predicted: int
    correct: int
    confused_with: str
    times: int
    explained: bool = False

    @property
    def recall(self) -> float | None:
        """Of the images of the class, the share for which it is predicted."""
        return self.correct / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """Of the images for which the class is predicted, the share that bears it."""
        return self.correct / self.predicted if self.predicted else None


@dataclass(frozen=True)
class ErrorLine:
    """A misclassified image: address and thumbnail are empty where it has no page; errors are in words."""

    name: str
    address: str
    thumbnail: str
    label: str
    errors: list[str]


@dataclass(frozen=True)
class Calibration:
    """How well probabilities fit what is correct: numbers for charts, rows of a table, and the calibration error."""

    error: float
    charts: dict[str, Any]
    bins: list[tuple[float, Bin]]


@dataclass(frozen=True)
class Performance:
    """What the performance page shows; of predictions and label_predictions there is one, or none.

    calibration: None without labels. classes: lowest recall first. labels: lowest average precision first.
    unborne: labels that no image bears. errors: most confident first. more_errors: how many aren't listed.
    unexplained: whether some of those listed have no page. training: None where it isn't known.
    """

    network: NetworkRecord
    lead: list[str]
    predictions: Predictions | None
    label_predictions: LabelPredictions | None
    calibration: Calibration | None
    classes: list[ClassRow]
    labels: list[LabelCounts]
    unborne: list[LabelCounts]
    errors: list[ErrorLine]
    more_errors: int
    unexplained: bool
    training: Training | None


def performance(report: Report, links: Links) -> Performance:
    """Gather what the performance page shows."""
    predictions, of_labels = report.summary.predictions, report.summary.label_predictions
    counted = predictions or of_labels
    errors = _errors(report, links)
    return Performance(
        network=report.network,
        lead=lead(report.run, predictions, of_labels),
        predictions=predictions,
        label_predictions=of_labels,
        calibration=_calibration(counted) if counted else None,
        classes=class_rows(predictions) if predictions else [],
        labels=labels_by_precision(of_labels),
        unborne=[label for label in (of_labels.labels if of_labels else ()) if not label.images],
        errors=errors,
        more_errors=_error_count(predictions, of_labels) - len(errors),
        unexplained=any(not line.address for line in errors),
        training=training(report, links),
    )


def lead(run: RunRecord, predictions: Predictions | None, of_labels: LabelPredictions | None = None) -> list[str]:
    """Sentences at the head of the page, cautions among them."""
    sentences = []
    if of_labels is not None:
        sentences.append(
            f"Exact match: for {fmt.number(of_labels.exact)} of {fmt.count(of_labels.images, 'labeled image')}, all "
            f"labels are predicted (above 50%), and no others."
        )
    if predictions is not None:
        errors = predictions.images - predictions.correct
        sentences.append(
            f"{fmt.number(predictions.correct)} of {fmt.count(predictions.images, 'labeled image')} "
            f"{'is' if predictions.correct == 1 else 'are'} classified correctly, {fmt.number(errors)} misclassified."
        )
        if errors and predictions.confidence_misclassified > 0.9:
            mean = fmt.percent(predictions.confidence_misclassified)
            sentences.append(f"The network is confident in its errors: {mean} on average.")
    counted = predictions or of_labels
    if counted is not None and counted.unknown:
        sentences.append(f"Not counted: {fmt.unknown(counted.unknown)}.")
    if run.predictions is not None or run.label_predictions is not None:
        sentences.append(f"All images were classified; {fmt.number(run.images)} of them are explained.")
    if run.in_training_set:
        all_of_them = run.in_training_set == run.images
        amount = "All" if all_of_them else f"{fmt.number(run.in_training_set)} of the {fmt.number(run.images)}"
        sentences.append(f"{amount} explained images are from the training set, so these figures are too good.")
    return sentences


def class_rows(predictions: Predictions) -> list[ClassRow]:
    """The classes, lowest recall first."""
    images: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    errors: dict[str, Counter[str]] = {}
    for label, prediction, count in predictions.confusion:
        images[label] += count
        predicted[prediction] += count
        if label == prediction:
            correct[label] += count
        else:
            errors.setdefault(label, Counter())[prediction] += count
    explained = {(error.label, error.predicted) for error in predictions.misclassified if error.image}
    rows = []
    for name in sorted({*images, *predicted}):
        other, times = errors[name].most_common(1)[0] if name in errors else ("", 0)
        shown = (name, other) in explained
        rows.append(ClassRow(name, images[name], predicted[name], correct[name], other, times, shown))
    return sorted(rows, key=lambda row: (row.recall if row.recall is not None else 2.0, row.name))


def _calibration(counted: Predictions | LabelPredictions) -> Calibration:
    """Of classes, images by the probability of the prediction; of labels, each image counts once for each label."""
    multilabel = isinstance(counted, LabelPredictions)
    middles = [(number + 0.5) / BINS for number in range(BINS)]
    charts = {
        "axis": "predicted probability" if multilabel else "confidence",
        "share": "fraction of positives" if multilabel else "accuracy",
        "word": "positive" if multilabel else "correct",
        "mean_title": "mean probability" if multilabel else "mean confidence",
        "middles": middles,
        "images": [interval.images for interval in counted.bins],
        "correct": [interval.correct for interval in counted.bins],
        "mean": [interval.mean if interval.images else None for interval in counted.bins],
        "accuracy": [interval.correct / interval.images if interval.images else None for interval in counted.bins],
    }
    bins = [(middle, interval) for middle, interval in zip(middles, counted.bins, strict=True) if interval.images]
    return Calibration(counted.calibration_error, charts, bins)


def _error_count(predictions: Predictions | None, of_labels: LabelPredictions | None) -> int:
    if predictions is not None:
        return predictions.images - predictions.correct
    return of_labels.images - of_labels.exact if of_labels is not None else 0


def _errors(report: Report, links: Links) -> list[ErrorLine]:
    """The misclassified images, most confident first, as many as the page lists."""
    predictions, of_labels = report.summary.predictions, report.summary.label_predictions
    if predictions is not None:
        return [_error_line(report, links, error) for error in predictions.misclassified[:ERRORS]]
    return [
        _label_error_line(report, links, error) for error in (of_labels.misclassified[:ERRORS] if of_labels else ())
    ]


def _error_line(report: Report, links: Links, error: Prediction) -> ErrorLine:
    label = (
        error.label if error.label_probability is None else f"{error.label} ({fmt.percent(error.label_probability)})"
    )
    predicted = f"predicted: {error.predicted} ({fmt.percent(error.probability)})"
    return ErrorLine(error.name, *_addresses(report, links, error.image), f"label: {label}", [predicted])


def _label_error_line(report: Report, links: Links, error: LabelErrors) -> ErrorLine:
    missed = sorted(error.missed, key=lambda entry: entry[1])
    extra = sorted(error.extra, key=lambda entry: -entry[1])
    errors = [f"{word}: {_few(scores)}" for word, scores in (("missed", missed), ("extra", extra)) if scores]
    return ErrorLine(error.name, *_addresses(report, links, error.image), "", errors)


def _few(scores: list[tuple[str, float]]) -> str:
    return fmt.first_of([f"{name} ({fmt.percent(share)})" for name, share in scores], 5)


def _addresses(report: Report, links: Links, image: str) -> tuple[str, str]:
    """The page and the thumbnail of an image, empty where it has none."""
    return (links.image(image), links.thumbnail(image, "picture")) if image in report.names else ("", "")
