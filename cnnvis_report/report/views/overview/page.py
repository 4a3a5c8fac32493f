"""The overview: facts and notices, findings, the evidence on the methods, errors, and the gallery of images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.records.labels import LabelCounts
from cnnvis_report.report.pictures.network import converged
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.confusion import Confusion, confusion_matrix, most_confused
from cnnvis_report.report.views.image.page import ImageView, Neighbors, image_view
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.overview.evidence import EvidenceTable, evidence_table
from cnnvis_report.report.views.overview.findings import Finding, findings
from cnnvis_report.report.views.overview.gallery import Gallery, gallery
from cnnvis_report.report.views.overview.headline_figure import HeadlineFigure, headline_figure
from cnnvis_report.report.views.performance.calibration import confidence_histogram
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import labels_by_precision

LISTED = 12
OUTRIGHT = 2  # notices
BRIEF = 400  # characters of one


@dataclass(frozen=True)
class Visualization:
    """A feature visualization that converged: what it maximizes, its picture, and its size."""

    title: str
    picture: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Overview:
    """What the overview shows.

    title: of the report. facts: a line of what was explained, each with an address, or none. noun: what a score is of:
    "class", "label" or "output". notices, folded: what a reader has to know first, at once and folded away.
    figure: None without maps. evidence: None where nothing was measured. confusion: None where there are too many
    classes, or no labels. confused: the most frequent errors: label, prediction, how many. precisions: labels, lowest
    average precision first. confidence: a histogram; None of values and of few images.
    image: what the page of the only image shows; None where there are several, and then there is a gallery.
    """

    title: str
    facts: list[tuple[str, str]]
    findings: list[Finding]
    noun: str
    notices: list[str]
    folded: list[str]
    figure: HeadlineFigure | None
    evidence: EvidenceTable | None
    confusion: Confusion | None
    confused: list[tuple[str, str, int]]
    precisions: list[LabelCounts]
    confidence: Markup | None
    visualizations: list[Visualization]
    image: ImageView | None
    gallery: Gallery | None

    @property
    def image_id(self) -> str:
        """The id of the only image; empty where there are several."""
        return self.image.image.id if self.image else ""


def overview(report: Report, links: Links) -> Overview:
    """Gather what the overview shows."""
    run, summary = report.run, report.summary
    shown, folded = notices(run.notices)
    confusion = confusion_matrix(summary)
    single, several = summary.images == 1, summary.images > 1
    return Overview(
        title=report.title,
        facts=facts(report, links),
        findings=findings(report, links),
        noun=fmt.column(report.network.kind),
        notices=shown,
        folded=folded,
        figure=headline_figure(report, links) if several else None,
        evidence=evidence_table(report) if several else None,
        confusion=confusion if several else None,
        confused=most_confused(summary) if several and not confusion else [],
        precisions=labels_by_precision(summary.label_predictions)[:LISTED] if several else [],
        confidence=confidence_histogram(report),
        visualizations=list(_visualizations(report, links)),
        image=image_view(report, links, next(report.images()), Neighbors("", "", 1)) if single else None,
        gallery=gallery(report, links) if several else None,
    )


def _visualizations(report: Report, links: Links) -> Iterator[Visualization]:
    inspection = report.run.inspection
    for number in converged(inspection):
        record = inspection.maximized[number] if inspection else None
        if record:
            yield Visualization(record.title, links.picture(f"maximized-{number}"), record.size)


def notices(all_of_them: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that the overview shows at once, and those that it folds away: long ones, and all but the first few."""
    brief = [notice for notice in all_of_them if len(notice) <= BRIEF][:OUTRIGHT]
    return brief, [notice for notice in all_of_them if notice not in brief]


def facts(report: Report, links: Links) -> list[tuple[str, str]]:
    """What was explained, how, and what is missing, each with an address, or none."""
    run, network = report.run, report.network
    methods = len(run.applicable)
    parts = [(fmt.count(report.summary.images, "image"), "")] if report.summary.images else []
    if methods:
        parts.append((fmt.count(methods, "method"), links.page("methods")))
    shape = next((layer.shape for layer in network.layers if layer.name == network.default_layer), ())
    if shape and run.methods:
        parts.append((f"layer {network.default_layer} ({fmt.sides(shape)})", ""))
    if not run.methods:
        parts.append(("what its layers compute", links.page("features")))
    elif effort := run.settings.get("effort"):
        parts.append((f"effort: {effort}", links.page("run")))
    if report.summary.unknown:
        parts.append((fmt.unknown(report.summary.unknown), ""))
    if run.skipped:
        parts.append((f"{fmt.count(len(run.skipped), 'file')} skipped", links.page("run", "skipped")))
    if report.summary.missing:
        parts.append((f"{fmt.count(report.summary.missing, 'map')} missing", links.page("run", "skipped")))
    return parts
