"""The pages of a comparison, and what their head and foot show."""

from typing import Any

from cnnvis_report.report.comparison.methods import comparison_methods
from cnnvis_report.report.comparison.overview import comparison_overview
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.runs import comparison_runs
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.figure.save import page_pictures
from cnnvis_report.report.pictures.thumbnails import Pictures
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.pages import Page
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links


def comparison_pages(figure: Figure | None) -> list[Page[ComparedReport]]:
    """The pages in the order of the navigation; the figure is on the first one."""

    def overview(report: ComparedReport, links: Links) -> object:
        return comparison_overview(report, figure, links)

    def pictures(_: ComparedReport) -> Pictures:
        return page_pictures(figure) if figure is not None else iter(())

    return [
        Page("index", "Overview", overview, "comparison.html", pictures=pictures),
        Page("methods", "Methods", comparison_methods, "comparison_methods.html"),
        Page("run", "Runs", comparison_runs, "comparison_runs.html"),
    ]


def frame(report: ComparedReport) -> dict[str, Any]:
    """What the head and the foot of every page show."""
    images = fmt.count(len(report.comparison.images), "image")
    return {
        "name": report.comparison.title,
        "description": f"What changed from {report.names[0]} to {report.names[-1]}, on {images}.",
        "favicon": assets.favicon(),
        "report_title": report.comparison.title,
        "pages": comparison_pages(None),
        "facts": (fmt.count(len(report.runs), "run"), images),
    }
