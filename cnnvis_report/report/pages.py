"""The table of pages: a page of the report is a row here, a view that gathers its content, and a template.

The folder of pages and the single file are both written from this table, and so is the navigation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnnvis_report.report.pictures.network import converged_pictures, network_pictures
from cnnvis_report.report.pictures.snapshots import snapshot_pictures
from cnnvis_report.report.pictures.thumbnails import Pictures
from cnnvis_report.report.views.error_maps import error_pictures
from cnnvis_report.report.views.features import features
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.methods import methods
from cnnvis_report.report.views.overview import overview
from cnnvis_report.report.views.performance import performance
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.run import run
from cnnvis_report.store.run_folder import StoredRun


def always(_report: Report) -> bool:
    """Of every report."""
    return True


def no_pictures(_stored: StoredRun) -> Pictures:
    """Of a page that has none of its own."""
    yield from ()


def performance_pictures(stored: StoredRun) -> Pictures:
    """The maps of misclassified images, and of the epochs of a training."""
    yield from error_pictures(stored)
    yield from snapshot_pictures(stored)


@dataclass(frozen=True)
class Page:
    """A page of the report.

    name: of its file, NAME.html, and of its part in a single file.
    title: in the navigation, and in the title of the window.
    view: gathers what the template shows.
    template: a file in templates/, which reads `view` and `links` alone.
    shown_if: whether a report has this page.
    pictures: its own, by name; the template finds them with `links.picture`.
    """

    name: str
    title: str
    view: Callable[[Report, Links], object]
    template: str
    shown_if: Callable[[Report], bool] = always
    pictures: Callable[[StoredRun], Pictures] = no_pictures


PAGES: Sequence[Page] = (
    Page("index", "Overview", overview, "overview.html", pictures=converged_pictures),
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
        pictures=network_pictures,
    ),
    Page("methods", "Methods", methods, "methods.html", shown_if=lambda report: bool(report.run.methods)),
    Page("run", "Run", run, "run.html"),
)
IMAGE_TEMPLATE = "image.html"  # of the page of one image, which the gallery leads to


def shown_pages(report: Report) -> list[Page]:
    """The pages of a report, in the order of the navigation."""
    return [page for page in PAGES if page.shown_if(report)]
