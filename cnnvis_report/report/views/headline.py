"""The head of the overview: figures of the whole run, and the notices."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.summary import Summary

TOP = 5
OUTRIGHT = 4  # notices
BRIEF = 400  # characters of one


@dataclass(frozen=True)
class Stat:
    """A figure on the overview; `slot` names the provenance that fills it in, which differs from run to run."""

    label: str
    value: str
    detail: str = ""
    slot: str = ""
    link: str = ""


def notices(all_of_them: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that the overview shows at once, and those that it folds away: long ones, and all but the first few."""
    brief = [notice for notice in all_of_them if len(notice) <= BRIEF][:OUTRIGHT]
    return brief, [notice for notice in all_of_them if notice not in brief]


def stats(run: RunRecord, summary: Summary, skipped_link: str) -> list[Stat]:
    """The row of figures at the head of the overview."""
    skipped = f"{fmt.count(len(run.skipped), 'file')} skipped" if run.skipped else "all files read"
    figures = [Stat("Images", fmt.number(summary.images), skipped, link=skipped_link if run.skipped else "")]
    if summary.predictions is not None:
        figures += _class_stats(run, summary.predictions)
    elif summary.label_predictions is not None:
        figures += _label_stats(run, summary.label_predictions)
    elif summary.images:
        figures += _unlabeled_stats(run, summary)
    methods = len(run.methods) - len({gap.method for gap in run.not_applicable})
    kinds = f"{fmt.count(methods, 'method')} × {fmt.columns(summary.classes, run.network.kind)}"
    missing = f", {fmt.number(summary.missing)} missing" if summary.missing else ""
    if run.methods:
        figures.append(Stat("Maps", fmt.number(summary.maps), kinds + missing))
    figures.append(Stat("Time", "–", "–", slot="took"))
    return figures


def _class_stats(run: RunRecord, predictions: Predictions) -> list[Stat]:
    """Accuracy, and the confidence of correct and of misclassified images."""
    counts = [predictions.correct] if run.network.classes <= TOP else [predictions.correct, predictions.top5]
    shares = " · ".join(fmt.percent(count / predictions.images) for count in counts)
    label = "Top-1 accuracy" if len(counts) == 1 else "Top-1 accuracy · top-5 accuracy"
    of = f"of {fmt.number(predictions.images)} labeled images"
    if run.predictions is not None:
        of += ", all that were classified"
    of += fmt.unknown(predictions.unknown, "; ")
    means = [
        fmt.percent(mean) if number else "–"
        for mean, number in (
            (predictions.confidence_correct, predictions.correct),
            (predictions.confidence_misclassified, predictions.images - predictions.correct),
        )
    ]
    return [
        Stat(label, shares, f"{' · '.join(map(fmt.number, counts))} {of}"),
        Stat("Mean confidence: correct · misclassified", " · ".join(means), "probability of the predicted class"),
    ]


def _label_stats(run: RunRecord, predictions: LabelPredictions) -> list[Stat]:
    """How well labels are ranked, and how many predicted labels are correct."""
    borne = sum(1 for label in predictions.labels if label.images)
    of = f"over {fmt.count(borne, 'label')}, on {fmt.count(predictions.images, 'labeled image')}"
    if run.label_predictions is not None:
        of += ", all that were classified"
    of += fmt.unknown(predictions.unknown, "; ")
    shares = [fmt.percent(share) if share is not None else "–" for share in (predictions.precision, predictions.recall)]
    mean = predictions.mean_average_precision
    return [
        Stat("Mean average precision", fmt.percent(mean) if mean is not None else "–", of),
        Stat("Precision · recall", " · ".join(shares), "over all labels, predicted above 50%"),
    ]


def _unlabeled_stats(run: RunRecord, summary: Summary) -> list[Stat]:
    """What can be said of the scores where no prediction can be judged."""
    if run.network.kind is ScoreKind.VALUE:
        ends = [fmt.number(score, 4) for score in (summary.lowest, summary.highest)]
        name = run.network.names[0] if run.network.names else "output"
        return [Stat("Lowest · highest", " · ".join(ends), f"value of {name}")]
    mean = fmt.percent(summary.confidence / max(summary.images, 1))
    beside = fmt.unknown(summary.unknown, "; ")
    if run.network.kind is ScoreKind.SIGMOID:
        labels = fmt.number(round(sum(summary.predicted.values()) / max(summary.images, 1), 2))
        return [
            Stat("Labels per image", labels, f"predicted above 50%, on average{beside}"),
            Stat("Highest probability", mean, "of any label, on average"),
        ]
    return [
        Stat("Mean confidence", mean, f"probability of the predicted class{beside}"),
        Stat("Classes predicted", fmt.number(len(summary.predicted)), "different predictions"),
    ]
