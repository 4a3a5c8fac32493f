"""A report as a folder of pages, with what they share beside them."""

from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cnnvis_report.data.prefetch import processors
from cnnvis_report.data.processes import worked
from cnnvis_report.progress import Progress
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.site.assets import write_shared
from cnnvis_report.report.site.gallery_data import GALLERY, gallery_data
from cnnvis_report.report.site.image_pages import ImageEntry, ImagePage, ImagePages, page_processes
from cnnvis_report.report.site.page_sample import choose_pages
from cnnvis_report.report.site.pages import shown_pages
from cnnvis_report.report.site.rendered import RenderedSite, page_keys
from cnnvis_report.report.site.renderer import frame, write_table
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views.image.page import with_neighbors
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.files.names import FIGURE
from cnnvis_report.store.run_folder import StoredRun

TEXTS = 8  # pages of which only the text is written take an eighth of the time
PAGES = 2000  # images that get a page, unless another number is asked for


@dataclass(frozen=True)
class SiteOptions:
    """How pages are written.

    pages: images that get a page, at most. processes: how many write pages, at most; None for one a processor.
    single_file: one page that holds everything, with maps kept as finely as 25 MB allow. max_size: bytes that such a
    page may have; then it has fewer methods where all of them don't fit.
    """

    pages: int = PAGES
    processes: int | None = None
    single_file: bool = False
    max_size: int | None = None

    @property
    def in_one_file(self) -> bool:
        """Whether one page holds everything."""
        return self.single_file or self.max_size is not None


DEFAULT = SiteOptions()


@dataclass(frozen=True)
class SitePages:
    """The pages of a site. images: by id. unchanged: files of an earlier site that stay where they are."""

    quality: Quality
    images: dict[str, ImagePage]
    unchanged: frozenset[str]


def write_pages(
    run: StoredRun, folder: Path, progress: Progress, options: SiteOptions = DEFAULT, before: RenderedSite | None = None
) -> SitePages:
    """Write a site into an empty folder, in the same bytes by any number of processes.

    Args:
        before: the site that is in the run's folder, of which pages of images stay as far as they would be the same.
    """
    quality = QUALITIES[0]
    report = Report(run, quality)
    choose_pages(report, options.pages)
    write_assets(folder, report)
    if report.figure is not None:
        (folder / FIGURE).write_bytes(figure_png(report.figure))
    write_table(folder, shown_pages(report), report, frame(report))
    images = _write_images(report, folder, progress, options, before)
    unchanged = frozenset(name for page in images.values() for name in page.unchanged)
    return SitePages(quality, images, unchanged)


def _write_images(
    report: Report, folder: Path, progress: Progress, options: SiteOptions, before: RenderedSite | None
) -> dict[str, ImagePage]:
    known, keys = before.images if before is not None else {}, page_keys(report)
    entries = (ImageEntry(image, beside, known.get(image.id)) for image, beside in with_neighbors(report))
    first = next(entries, None)
    maps = report.summary.maps * report.image_pages // max(1, report.summary.images)
    if (
        first is not None
        and first.before is not None
        and first.before.content == keys.of(report, first.image, first.neighbors)[0]
    ):
        maps //= TEXTS  # most likely the maps of the others are drawn already, too
    work = worked(
        ImagePages(report, folder, keys),
        entries if first is None else chain([first], entries),
        processes=page_processes(maps, options.processes),
        threads=min(processors(WORKERS), options.processes or WORKERS),
    )
    pages = {}
    with closing(work) as written:
        for page in written:
            pages[page.id] = page
            progress.done(page.name)
    return pages


def write_assets(folder: Path, report: Report) -> None:
    """Style sheets, scripts, all images as data, and what is only known of time and machine."""
    write_shared(folder, {"provenance": provenance_slots(report.run), GALLERY: gallery_data(report)})
