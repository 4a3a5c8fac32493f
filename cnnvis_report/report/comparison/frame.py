"""The pages of a comparison, and what their head and foot show."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnvis_report.report.comparison.methods import comparison_methods
from cnnvis_report.report.comparison.overview import comparison_overview
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.runs import comparison_runs
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.renderer import stream_template
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links


@dataclass(frozen=True)
class ComparisonPage:
    """A page of a comparison: its name and title, what gathers its content, and its template."""

    name: str
    title: str
    view: Callable[[ComparedReport, Links], object]
    template: str


def comparison_pages(figure: Figure | None) -> list[ComparisonPage]:
    """The pages in the order of the navigation; the figure is on the first one."""

    def overview(report: ComparedReport, links: Links) -> object:
        return comparison_overview(report, figure, links)

    return [
        ComparisonPage("index", "Overview", overview, "comparison.html"),
        ComparisonPage("methods", "Methods", comparison_methods, "comparison_methods.html"),
        ComparisonPage("run", "Runs", comparison_runs, "comparison_runs.html"),
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
        "policy": assets.site_policy(),
    }


def write_framed(report: ComparedReport, path: Path, links: Links, **content: Any) -> None:
    """Write a page."""
    stream_template("page.html", frame(report) | content | {"links": links}).dump(str(path), encoding="utf-8")
