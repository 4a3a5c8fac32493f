"""What a job takes from a report beside its pages: the numbers, and what its summary is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cnnvis_report.records.comparison import Comparison
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.markdown.comparison import comparison_document
from cnnvis_report.report.markdown.document import Document, short
from cnnvis_report.report.markdown.run import run_document
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.overview.findings import findings
from cnnvis_report.report.views.report import Report
from cnnvis_report.rules.comparison_values import comparison_values
from cnnvis_report.rules.judge import Outcome
from cnnvis_report.rules.run_values import measure_names, run_values
from cnnvis_report.rules.value import Value
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class JobResults:
    """The numbers of a report, and what a summary says of it.

    findings: topics and sentences. values: all that rules can read. measures: the names of measures among them.
    document: the summary, given what became of rules. picture: draws the figure as PNG; empty without maps.
    """

    title: str
    findings: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]
    measures: tuple[str, ...]
    document: Callable[[Sequence[Outcome]], Document]
    picture: Callable[[], bytes]


def results_of_run(stored: StoredRun) -> JobResults:
    """Gather what a job takes from a run."""
    report = Report(stored, QUALITIES[0])
    summary = report.summary
    return JobResults(
        title=report.title,
        findings=tuple((finding.topic, finding.text) for finding in findings(report, SiteLinks())),
        values=run_values(report.run, summary.predictions, summary.label_predictions, report.evidence),
        measures=tuple(measure_names(report.run)),
        document=lambda outcomes: run_document(report, outcomes),
        picture=lambda: figure_png(report.figure) if report.figure else b"",
    )


def results_of_comparison(
    comparison: Comparison, picture: Callable[[], bytes], later: JobResults | None = None
) -> JobResults:
    """Gather what a job takes from a comparison.

    Args:
        picture: draws its figure as PNG; empty without maps.
        later: what it takes from the only later run, whose own numbers and summary are added; None where it isn't
            read.
    """
    beside = later.values if later is not None else ()
    labels = {value.label for value in beside}
    changes = tuple(value for value in comparison_values(comparison) if value.label not in labels)
    return JobResults(
        title=comparison.title,
        findings=tuple((finding.topic, finding.text) for finding in comparison.findings),
        values=(*beside, *changes),
        measures=(*(later.measures if later is not None else ()), *(info.name for info in comparison.metrics)),
        document=lambda outcomes: _with_run(comparison_document(comparison, outcomes), later),
        picture=picture,
    )


def _with_run(document: Document, run: JobResults | None) -> Document:
    """A comparison's summary, followed by that of the later run alone."""
    if run is None:
        return document
    alone = run.document(())
    opening = (*document.opening, f"**{short(run.title)}**", *alone.opening)
    return replace(document, opening=opening, sections=(*document.sections, *alone.sections))
