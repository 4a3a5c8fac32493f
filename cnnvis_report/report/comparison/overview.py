"""The overview of a comparison: what changed in sentences and in a figure, the runs side by side, the gallery."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.report.comparison.figure import comparison_caption
from cnnvis_report.report.comparison.gallery import ComparedGallery, compared_gallery
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.overview.findings import Finding
from cnnvis_report.report.views.overview.headline_figure import HeadlineFigure, figure_view
from cnnvis_report.report.views.overview.page import notices

COMMAND = "cnnvis-report figure OLD NEW -o figure.pdf"
OUTRIGHT = 6  # findings
CLASSES = 100  # that the page lists
NEVER_MEASURED = "–"
# the rows of the table of runs: titles, and what they are
ACCURACY = ("Accuracy", "Over the compared images with a label, with its 95% interval")
DIFFERENCE = ("Difference", "Of the accuracy to that of the first run, on the same images, with its 95% interval")
FIXED = ("Fixed", "Images that the first run misclassifies and this one classifies correctly")
BROKEN = ("Broken", "Images that the first run classifies correctly and this one misclassifies")
MCNEMAR = ("McNemar's exact test (p)", "How likely chance alone splits fixed and broken images at least as unevenly")
TOP5 = ("Top-5 accuracy", "The label is among the five highest scores")
CALIBRATION = ("Calibration error (ECE)", "How far confidence and accuracy are apart; lower is better")
BRIER = ("Brier score", "Mean squared distance of the confidence from the outcome; lower is better")
MOVED = (
    "Maps moved",
    "1 − rank correlation with the maps of the first run, median over images: 0 the same, 1 unrelated",
)


@dataclass(frozen=True)
class ClassRow:
    """A class in the table of classes: of each run the share that it gets right, and what became of its images."""

    name: str
    images: int
    accuracy: list[float]
    fixed: int
    broken: int


@dataclass(frozen=True)
class ComparisonOverview:
    """What the overview shows.

    findings, more_findings: at once, of several later runs those of the last one, and folded away.
    measures: what the figures of the runs are, one a row. classes: most broken images first.
    image_id: empty, as the page isn't that of an image.
    """

    title: str
    facts: list[str]
    findings: list[Finding]
    more_findings: list[Finding]
    figure: HeadlineFigure | None
    notices: list[str]
    folded: list[str]
    runs: list[str]
    measures: list[tuple[str, str, list[str]]]
    classes: list[ClassRow]
    more_classes: int
    gallery: ComparedGallery
    image_id: str = ""


def comparison_overview(report: ComparedReport, figure: Figure | None, links: Links) -> ComparisonOverview:
    """Gather what the overview shows."""
    comparison = report.comparison
    shown, folded = notices(comparison.notices)
    findings = [Finding(one.topic, one.text, _proof(one.topic, links)) for one in comparison.findings]
    last = [finding for finding in findings if finding.text.startswith(f"{report.names[-1]}: ")]
    others = [finding for finding in findings if finding not in last]
    text = comparison_caption(report, figure) if figure else ""
    return ComparisonOverview(
        title=comparison.title,
        facts=[
            " → ".join(report.names),
            fmt.count(len(comparison.images), "image") + " compared",
            fmt.count(len(report.methods), "method"),
        ],
        findings=findings[:OUTRIGHT] if len(report.runs) == 2 else last,
        more_findings=findings[OUTRIGHT:] if len(report.runs) == 2 else others,
        figure=figure_view(figure, text, links, command=COMMAND) if figure else None,
        notices=shown,
        folded=folded,
        runs=report.names,
        measures=list(_measures(report)),
        classes=[
            ClassRow(
                row.name, row.images, [n / max(row.images, 1) for n in row.correct], max(row.fixed), max(row.broken)
            )
            for row in comparison.classes[:CLASSES]
        ],
        more_classes=max(0, len(comparison.classes) - CLASSES),
        gallery=compared_gallery(report),
    )


def _proof(topic: str, links: Links) -> str:
    """Where the reader finds what a finding says."""
    pages = {
        "Attention": links.page("methods", "moved"),
        "Relevance in the mask": links.page("methods", "mask"),
        "Predictions": links.gallery(),
    }
    return pages.get(topic, links.page("index", "runs"))


def _measures(report: ComparedReport) -> Iterator[tuple[str, str, list[str]]]:
    """What is known of each run: its title, what it is, and a cell a run."""
    runs, later = report.comparison.runs, report.comparison.paired
    rows: list[tuple[str, str, list[str]]] = [
        (*ACCURACY, [words.interval(run.accuracy, percent=True) for run in runs]),
        (*DIFFERENCE, ["", *(words.difference(pair.difference, percent=True) for pair in later)]),
        (*FIXED, ["", *(fmt.number(pair.fixed) for pair in later)]),
        (*BROKEN, ["", *(fmt.number(pair.broken) for pair in later)]),
        (*MCNEMAR, ["", *(fmt.number(pair.p_value) for pair in later)]),
        (*TOP5, [words.interval(run.top5, percent=True) for run in runs]),
        (*CALIBRATION, [fmt.percent(run.calibration_error) for run in runs]),
        (*BRIER, [fmt.number(run.brier_score) for run in runs]),
        (*MOVED, ["", *map(words.median, report.comparison.movement)]),
    ]
    labeled = any(pair.images for pair in report.comparison.paired)
    for title, meaning, cells in rows:
        if any(cells) and (labeled or title in (ACCURACY[0], MOVED[0])):
            yield title, meaning, [cell or NEVER_MEASURED for cell in cells]
