"""The summary of a run in Markdown."""

from collections.abc import Iterator, Sequence

from cnnvis_report.evidence.markdown import methods_table
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.report.markdown.document import Document, Section, bullets, rules_list, short, table
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.overview.findings import findings
from cnnvis_report.report.views.performance.class_measures import Figure, class_figures, label_figures
from cnnvis_report.report.views.performance.page import class_rows
from cnnvis_report.report.views.report import Report
from cnnvis_report.rules.judge import Outcome

LISTED = 20  # rows of a table


def run_document(report: Report, outcomes: Sequence[Outcome]) -> Document:
    """Gather what a job says of a run: rules, findings, and tables."""
    lines = [f"**{short(finding.topic)}**: {short(finding.text)}" for finding in findings(report, SiteLinks())]
    alt = f"Images with their attribution maps, by {report.network.name}" if report.figure else ""
    return Document(report.title, (*rules_list(outcomes), bullets(lines)), tuple(_sections(report)), alt)


def _sections(report: Report) -> Iterator[Section]:
    predictions, labels = report.summary.predictions, report.summary.label_predictions
    if predictions is not None:
        figures = class_figures(predictions, report.network.classes)
        yield _figures(figures, predictions.calibration_error, predictions.images)
    elif labels is not None:
        yield _figures(label_figures(labels), labels.calibration_error, labels.images)
    if report.evidence is not None:
        images = fmt.count(report.evidence.images, "image")
        yield Section(f"Methods ({images})", methods_table(report.evidence, report.run))
    if predictions is not None:
        yield from _classes(predictions)
        yield from _misclassified(predictions)
    if report.run.notices:
        yield Section("Before trusting the results", bullets(map(short, report.run.notices)))


def _figures(figures: Sequence[Figure], calibration_error: float, images: int) -> Section:
    rows = [(figure.name, figure.text, figure.counted) for figure in figures]
    rows.append(("Calibration error (ECE)", fmt.percent(calibration_error), ""))
    return Section(f"Predictions ({fmt.count(images, 'labeled image')})", table(("Figure", "Value", "Counted"), rows))


def _classes(predictions: Predictions) -> Iterator[Section]:
    rows = class_rows(predictions)
    if len(rows) > 1:
        shown = [
            (row.name, fmt.number(row.images), *map(fmt.percent, (row.recall, row.precision))) for row in rows[:LISTED]
        ]
        which = f", {LISTED} of {len(rows)}" if len(rows) > LISTED else ""
        heading = f"Classes, lowest recall first{which}"
        yield Section(heading, table(("Class", "Images", "Recall", "Precision"), shown))


def _misclassified(predictions: Predictions) -> Iterator[Section]:
    errors = predictions.images - predictions.correct
    if errors:
        shown = [
            (error.name, error.label, f"{error.predicted} ({fmt.percent(error.probability)})")
            for error in predictions.misclassified[:LISTED]
        ]
        which = f", {LISTED} of {fmt.number(errors)}" if errors > LISTED else ""
        heading = f"Misclassified, most confident first{which}"
        yield Section(heading, table(("Image", "Label", "Predicted"), shown))
