"""The pages of a comparison, written into its folder whole or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.progress import Progress
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report import assets
from cnnvis_report.report.comparison.figure import comparison_figure
from cnnvis_report.report.comparison.gallery import compared_gallery_data
from cnnvis_report.report.comparison.image import compared_image_view
from cnnvis_report.report.comparison.methods import comparison_methods
from cnnvis_report.report.comparison.overview import comparison_overview
from cnnvis_report.report.comparison.payload import image_data
from cnnvis_report.report.comparison.report import PAGES, ComparedReport
from cnnvis_report.report.comparison.runs import comparison_runs
from cnnvis_report.report.comparison.stills import image_stills
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.figure.save import figure_png, page_pictures
from cnnvis_report.report.gallery_data import GALLERY
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.renderer import stream_template
from cnnvis_report.report.site_files import write_pictures, write_shared, write_text
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image import Neighbors
from cnnvis_report.report.views.links import Links, SiteLinks
from cnnvis_report.report.write import Written, replace_pages
from cnnvis_report.store.names import FIGURE
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class ComparisonPage:
    """A page of a comparison: its name and title, what gathers its content, and its template."""

    name: str
    title: str
    view: Callable[[ComparedReport, Links], object]
    template: str


def write_comparison(
    comparison: Comparison,
    runs: Sequence[StoredRun],
    folder: Path,
    *,
    most: int = PAGES,
    progress: Progress | None = None,
) -> Written:
    """Write the pages of a comparison into a folder, in place of those that an earlier call has written.

    Args:
        runs: those that are compared, in the order of `Comparison.runs`.
        most: images that get a page: those that changed most.
        progress: told of each image when its page is made.

    Raises:
        BadRequest: somebody else is writing there, or has a file in the place of a page. Damaged: a run is.
    """
    report = ComparedReport(comparison, runs, most)
    return replace_pages(folder, lambda building: _write(report, building, progress or Progress()))


def _write(report: ComparedReport, folder: Path, progress: Progress) -> Quality:
    quality = QUALITIES[0]
    figure = comparison_figure(report)
    write_shared(folder, {"provenance": {}, GALLERY: compared_gallery_data(report)})
    if figure is not None:
        (folder / FIGURE).write_bytes(figure_png(figure))
        write_pictures(folder / "stills" / "pages" / "index", page_pictures(figure))
    pages = _pages(figure)
    frame = _frame(report, pages)
    for page in pages:
        links = SiteLinks(page_name=f"pages/{page.name}")
        named = {"page": page.name, "title": page.title, "template": page.template}
        _dump(frame, folder / f"{page.name}.html", links, view=page.view(report, links), **named)
    content = partial(_image_content, report, quality)
    workers = processors(WORKERS)
    for image, records, pictures, data in ahead(content, report.records(), workers=workers, waiting=workers):
        links = SiteLinks(up="../")
        write_pictures(folder / "stills" / image.id, pictures)
        write_text(folder / "data" / f"{image.id}.js", assets.delivery(image.id, data))
        view = compared_image_view(report, image, records, _neighbors(report, image))
        path = folder / "images" / f"{image.id}.html"
        path.parent.mkdir(exist_ok=True)
        _dump(frame, path, links, view=view, page="image", title=image.name, template="comparison_image.html")
        progress.done(image.name)
    return quality


def _pages(figure: Figure | None) -> list[ComparisonPage]:
    def overview(report: ComparedReport, links: Links) -> object:
        return comparison_overview(report, figure, links)

    return [
        ComparisonPage("index", "Overview", overview, "comparison.html"),
        ComparisonPage("methods", "Methods", comparison_methods, "comparison_methods.html"),
        ComparisonPage("run", "Runs", comparison_runs, "comparison_runs.html"),
    ]


def _frame(report: ComparedReport, pages: Sequence[ComparisonPage]) -> dict[str, Any]:
    """What the head and the foot of every page show."""
    images = fmt.count(len(report.comparison.images), "image")
    return {
        "name": report.comparison.title,
        "description": f"What changed from {report.names[0]} to {report.names[-1]}, on {images}.",
        "favicon": assets.favicon(),
        "report_title": report.comparison.title,
        "pages": pages,
        "facts": (fmt.count(len(report.runs), "run"), images),
        "policy": assets.site_policy(),
    }


def _dump(frame: dict[str, Any], path: Path, links: Links, **content: Any) -> None:
    stream_template("page.html", frame | content | {"links": links}).dump(str(path), encoding="utf-8")


ImageContent = tuple[ComparedImage, tuple[ImageRecord, ...], list[tuple[str, bytes]], dict[str, Any]]


def _image_content(
    report: ComparedReport, quality: Quality, entry: tuple[ComparedImage, tuple[ImageRecord, ...]]
) -> ImageContent:
    """What the page of an image shows beside its text."""
    image, records = entry
    arrays = [run.maps(record) for run, record in zip(report.runs, records, strict=True)]
    pictures = list(image_stills(report, image, arrays))
    return image, records, pictures, image_data(report, image, records, arrays, quality)


def _neighbors(report: ComparedReport, image: ComparedImage) -> Neighbors:
    number = report.position[image.id]
    before = report.images[number - 1].id if number else ""
    after = report.images[number + 1].id if number + 1 < len(report.images) else ""
    return Neighbors(before, after, number + 1)
