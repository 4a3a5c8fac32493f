"""The pages of a comparison, written into its folder whole or not at all."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cnnvis_report.data.prefetch import processors
from cnnvis_report.data.processes import worked
from cnnvis_report.progress import Progress
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.report.comparison.figure import comparison_figure
from cnnvis_report.report.comparison.frame import comparison_pages, write_framed
from cnnvis_report.report.comparison.gallery import compared_gallery_data
from cnnvis_report.report.comparison.image_pages import QUALITY, ComparedImagePages
from cnnvis_report.report.comparison.report import PAGES, ComparedReport
from cnnvis_report.report.comparison.single_file import write_single_comparison
from cnnvis_report.report.figure.save import figure_png, page_pictures
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.site.gallery_data import GALLERY
from cnnvis_report.report.site.image_pages import page_processes
from cnnvis_report.report.site.site_files import write_pictures, write_shared
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.write import Written, replace_pages
from cnnvis_report.store.files.names import FIGURE
from cnnvis_report.store.run_folder import StoredRun

DEFAULT = SiteOptions(PAGES)


def write_comparison(
    comparison: Comparison,
    runs: Sequence[StoredRun],
    folder: Path,
    *,
    options: SiteOptions = DEFAULT,
    single_file: bool = False,
    max_size: int | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the pages of a comparison into a folder, in place of those that an earlier call has written.

    Args:
        runs: those that are compared, in the order of `Comparison.runs`.
        options: how many images get a page, those that changed most, and how many processes write them.
        single_file, max_size: one page that holds everything, as `write_site` has them.
        progress: told of each image when its page is made.

    Raises:
        BadRequest: somebody else is writing there, or has a file in the place of a page. Damaged: a run is.
    """
    listener = progress or Progress()

    def write(building: Path) -> Quality:
        return fill_comparison(
            comparison,
            runs,
            building,
            options=options,
            progress=listener,
            single_file=single_file,
            max_size=max_size,
        )

    return replace_pages(folder, write)


def fill_comparison(
    comparison: Comparison,
    runs: Sequence[StoredRun],
    folder: Path,
    *,
    options: SiteOptions,
    progress: Progress,
    single_file: bool = False,
    max_size: int | None = None,
) -> Quality:
    """Write the pages of a comparison into an empty folder; arguments as of `write_comparison`."""
    report = ComparedReport(comparison, runs, options.pages)
    if single_file or max_size is not None:
        return write_single_comparison(report, folder, progress, max_size)
    return _write(report, folder, options.processes, progress)


def _write(report: ComparedReport, folder: Path, processes: int | None, progress: Progress) -> Quality:
    figure = comparison_figure(report)
    write_shared(folder, {"provenance": {}, GALLERY: compared_gallery_data(report)})
    if figure is not None:
        (folder / FIGURE).write_bytes(figure_png(figure))
        write_pictures(folder, "stills/pages/index", page_pictures(figure))
    for page in comparison_pages(figure):
        links = SiteLinks(page_name=f"pages/{page.name}")
        named = {"page": page.name, "title": page.title, "template": page.template}
        write_framed(report, folder / f"{page.name}.html", links, view=page.view(report, links), **named)
    maps = len(report.images) * len(report.methods) * len(report.runs)
    threads = min(processors(WORKERS), processes or WORKERS)
    work = worked(
        ComparedImagePages(report, folder), report.records(), processes=page_processes(maps, processes), threads=threads
    )
    with closing(work) as names:
        for name in names:
            progress.done(name)
    return QUALITY
