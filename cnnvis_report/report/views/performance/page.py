"""The performance page: what the network predicts correctly and what not, and how it was trained."""

from collections import Counter
from dataclasses import asdict, dataclass

from markupsafe import Markup

from cnnvis_report.evidence.f1 import ClassCounts, class_counts
from cnnvis_report.records.labels import LabelCounts, LabelPredictions
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.confusion import Confusion, confusion_matrix, most_confused
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.performance.calibration import Calibration, calibration
from cnnvis_report.report.views.performance.class_measures import (
    Figure,
    class_figures,
    figures_chart,
    in_a_sentence,
    label_figures,
    most_frequent,
)
from cnnvis_report.report.views.performance.errors import Errors, errors_of
from cnnvis_report.report.views.performance.training import Training, training
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import labels_by_precision

CONFIDENT = 0.9  # the mean confidence of errors from which a sentence warns


@dataclass(frozen=True, kw_only=True)
class ClassRow(ClassCounts):
    """A class with its counts, and its most frequent error.

    confused_with: the class that its images are most often misclassified as, `times` of them; "" where none is.
    explained: whether the run has pages of such images.
    """

    name: str
    confused_with: str
    times: int
    explained: bool


@dataclass(frozen=True)
class Performance:
    """What the performance page shows; of predictions and label_predictions there is one, or none.

    lead: the figures in a sentence. cautions: what a reader has to know of them. chart: the figures as bars with
    intervals. calibration, errors: None without labels. confusion: None where there are too many classes, or where
    several labels can be right; `confused` then are the most frequent errors: label, prediction, how many.
    classes: lowest recall first. labels: lowest average precision first. unborne: labels that no image bears.
    training: None where it isn't known.
    """

    network: NetworkRecord
    lead: str
    cautions: list[str]
    chart: Markup | None
    predictions: Predictions | None
    label_predictions: LabelPredictions | None
    confusion: Confusion | None
    confused: list[tuple[str, str, int]]
    calibration: Calibration | None
    classes: list[ClassRow]
    labels: list[LabelCounts]
    unborne: list[LabelCounts]
    errors: Errors | None
    training: Training | None


def performance(report: Report, links: Links) -> Performance:
    """Gather what the performance page shows."""
    predictions, of_labels = report.summary.predictions, report.summary.label_predictions
    counted = predictions or of_labels
    figures = _figures(report.network, predictions, of_labels)
    confusion = confusion_matrix(report.summary)
    return Performance(
        network=report.network,
        lead=in_a_sentence(figures, counted.images) if counted else "",
        cautions=cautions(report.run, predictions, of_labels),
        chart=figures_chart(figures) if figures else None,
        predictions=predictions,
        label_predictions=of_labels,
        confusion=confusion,
        confused=[] if confusion else most_confused(report.summary),
        calibration=calibration(counted) if counted else None,
        classes=class_rows(predictions) if predictions else [],
        labels=labels_by_precision(of_labels),
        unborne=[label for label in (of_labels.labels if of_labels else ()) if not label.images],
        errors=errors_of(report, links),
        training=training(report, links),
    )


def _figures(
    network: NetworkRecord, predictions: Predictions | None, of_labels: LabelPredictions | None
) -> list[Figure]:
    if predictions is not None:
        return class_figures(predictions, network.classes)
    return label_figures(of_labels) if of_labels is not None else []


def cautions(run: RunRecord, predictions: Predictions | None, of_labels: LabelPredictions | None) -> list[str]:
    """What a reader has to know of the figures, in sentences."""
    sentences = []
    if of_labels is not None:
        sentences.append("A label is predicted where its probability is above 50%; exact match: all labels, no others.")
    if predictions is not None:
        sentences.append(
            f"Always predicting the most frequent label would be correct for {fmt.percent(most_frequent(predictions))}."
        )
        if predictions.correct < predictions.images and predictions.confidence_misclassified > CONFIDENT:
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
    errors: dict[str, Counter[str]] = {}
    for label, prediction, count in predictions.confusion:
        if label != prediction:
            errors.setdefault(label, Counter())[prediction] += count
    explained = {(error.label, error.predicted) for error in predictions.misclassified if error.image}
    rows = []
    for name, counts in class_counts(predictions.confusion).items():
        other, times = errors[name].most_common(1)[0] if name in errors else ("", 0)
        shown = (name, other) in explained
        rows.append(ClassRow(**asdict(counts), name=name, confused_with=other, times=times, explained=shown))
    return sorted(rows, key=lambda row: (row.recall if row.recall is not None else 2.0, row.name))
