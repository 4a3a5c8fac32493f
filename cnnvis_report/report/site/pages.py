"""The table of pages: a page of the report is a row here, a view that gathers its content, and a template.

The folder of pages and the single file are both written from this table, and so is the navigation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cnnvis_report.report.figure.save import page_pictures
from cnnvis_report.report.pictures.bands import band_pictures
from cnnvis_report.report.pictures.image_layers import image_pictures
from cnnvis_report.report.pictures.network import converged_pictures, network_pictures, snapshot_pictures
from cnnvis_report.report.pictures.thumbnails import Pictures
from cnnvis_report.report.views.features.page import features
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.methods.page import methods
from cnnvis_report.report.views.overview.page import overview
from cnnvis_report.report.views.performance.error_maps import error_pictures
from cnnvis_report.report.views.performance.page import performance
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.run import run

ReportOf = TypeVar("ReportOf")  # a run's, or that of a comparison


def overview_pictures(report: Report) -> Pictures:
    """The headline figure, feature visualizations that converged, and, of one image, what its page shows."""
    if report.figure is not None:
        yield from page_pictures(report.figure)
    yield from converged_pictures(report.stored)
    if report.summary.images == 1:
        image = next(report.images())
        arrays = report.stored.maps(image)
        yield from band_pictures(report.run, image, arrays)
        inspected = report.run.inspection.of(image.id) if report.run.inspection else None
        yield from image_pictures(report.stored, inspected, arrays["picture"]) if inspected else ()


def performance_pictures(report: Report) -> Pictures:
    """The maps of misclassified images, and of the epochs of a training."""
    yield from error_pictures(report.stored, report.error_maps)
    yield from snapshot_pictures(report.stored)


@dataclass(frozen=True)
class Page(Generic[ReportOf]):
    """A page of a report.

    name: of its file, NAME.html, and of its part in a single file.
    title: in the navigation, and in the title of the window.
    view: gathers what the template shows.
    template: a file in templates/, which reads `view` and `links` alone.
    shown_if: whether a report has this page.
    pictures: its own, by name; the template finds them with `links.picture`.
    """

    name: str
    title: str
    view: Callable[[ReportOf, Links], object]
    template: str
    shown_if: Callable[[ReportOf], bool] = lambda _: True
    pictures: Callable[[ReportOf], Pictures] = lambda _: iter(())


PAGES: Sequence[Page[Report]] = (
    Page("index", "Overview", overview, "overview.html", pictures=overview_pictures),
    Page(
        "performance",
        "Performance",
        performance,
        "performance.html",
        shown_if=lambda report: bool(report.summary.judged or report.run.training),
        pictures=performance_pictures,
    ),
    Page(
        "features",
        "Features",
        features,
        "features.html",
        shown_if=lambda report: report.run.inspection is not None,
        pictures=lambda report: network_pictures(report.stored),
    ),
    Page("methods", "Methods", methods, "methods.html", shown_if=lambda report: bool(report.run.methods)),
    Page("run", "Run", run, "run.html"),
)
IMAGE_TEMPLATE = "image.html"  # of the page of one image, which the gallery leads to


def shown_pages(report: Report) -> list[Page[Report]]:
    """The pages of a report, in the order of the navigation."""
    return [page for page in PAGES if page.shown_if(report)]
