"""The pages of a comparison, written into its folder whole or not at all, by this process or by several."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cnnvis_report.data.prefetch import processors
from cnnvis_report.data.processes import worked
from cnnvis_report.progress import Progress
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.comparison.figure import comparison_figure
from cnnvis_report.report.comparison.frame import comparison_pages, frame
from cnnvis_report.report.comparison.gallery import compared_gallery_data
from cnnvis_report.report.comparison.image import compared_image_view
from cnnvis_report.report.comparison.payload import image_data
from cnnvis_report.report.comparison.report import PAGES, ComparedReport
from cnnvis_report.report.comparison.single_file import write_single_comparison
from cnnvis_report.report.comparison.stills import image_stills, row_stills
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.assets import write_pictures, write_shared, write_text
from cnnvis_report.report.site.gallery_data import GALLERY
from cnnvis_report.report.site.image_pages import page_processes
from cnnvis_report.report.site.renderer import write_page, write_table
from cnnvis_report.report.site.site_writer import SiteOptions
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.write import Written, replace_pages
from cnnvis_report.store.files.atomic import within
from cnnvis_report.store.files.names import FIGURE
from cnnvis_report.store.run_folder import StoredRun

DEFAULT = SiteOptions(PAGES)
QUALITY = QUALITIES[0]


@dataclass(frozen=True)
class ComparedImagePages:
    """Writes pages of images into the folder of a comparison; it can be pickled, so that other processes do."""

    report: ComparedReport
    folder: Path

    def __call__(self, entry: tuple[ComparedImage, tuple[ImageRecord, ...]]) -> str:
        """Write the page of one image, with its pictures and data; its name."""
        report, folder, (image, records) = self.report, self.folder, entry
        arrays = report.arrays(records)
        pictures = chain(image_stills(report, image, arrays), row_stills(report, image, arrays))
        write_pictures(folder, f"stills/{image.id}", pictures)
        data = image_data(report, image, records, arrays, QUALITY)
        write_text(folder, f"data/{image.id}.js", assets.delivery(image.id, data))
        view = compared_image_view(report, image, records)
        path = within(folder, f"images/{image.id}.html")
        named = {"page": "image", "title": image.name, "template": "comparison_image.html"}
        write_page(path, frame(report), SiteLinks(up="../"), view=view, **named)
        return image.name


def write_comparison(
    comparison: Comparison,
    runs: Sequence[StoredRun],
    folder: Path,
    options: SiteOptions = DEFAULT,
    progress: Progress | None = None,
) -> Written:
    """Write the pages of a comparison into a folder, in place of those that an earlier call has written.

    Args:
        runs: those that are compared, in the order of `Comparison.runs`.
        options: images that get a page are those that changed most.
        progress: told of each image when its page is made.

    Raises:
        BadRequest: somebody else is writing there, or has a file in the place of a page. Damaged: a run is.
    """
    listener = progress or Progress()
    return replace_pages(folder, lambda building: fill_comparison(comparison, runs, building, options, listener))


def fill_comparison(
    comparison: Comparison, runs: Sequence[StoredRun], folder: Path, options: SiteOptions, progress: Progress
) -> Quality:
    """Write the pages of a comparison into an empty folder; arguments as of `write_comparison`."""
    report = ComparedReport(comparison, runs, options.pages)
    if options.in_one_file:
        return write_single_comparison(report, folder, progress, options.max_size)
    figure = comparison_figure(report)
    write_shared(folder, {"provenance": {}, GALLERY: compared_gallery_data(report)})
    if figure is not None:
        (folder / FIGURE).write_bytes(figure_png(figure))
    write_table(folder, comparison_pages(figure), report, frame(report))
    work = worked(
        ComparedImagePages(report, folder),
        report.records(),
        processes=page_processes(len(report.images) * len(report.methods) * len(report.runs), options.processes),
        threads=min(processors(WORKERS), options.processes or WORKERS),
    )
    with closing(work) as names:
        for name in names:
            progress.done(name)
    return QUALITY
