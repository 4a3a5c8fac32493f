"""A comparison as one page that holds everything."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from cnnvis_report.progress import Progress
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.report.comparison.figure import comparison_figure
from cnnvis_report.report.comparison.frame import comparison_pages, frame
from cnnvis_report.report.comparison.gallery import compared_gallery_data
from cnnvis_report.report.comparison.image import compared_image_view
from cnnvis_report.report.comparison.payload import image_data
from cnnvis_report.report.comparison.report import ChosenImages, ComparedReport
from cnnvis_report.report.comparison.stills import image_stills
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.pictures.thumbnails import data_uri
from cnnvis_report.report.single_file.size_limit import IMAGES, MapError, OncePerImage, SizeNotices, fit, map_error
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.gallery_data import GALLERY
from cnnvis_report.report.site.renderer import parts_of, write_single_page
from cnnvis_report.report.views.links import SingleFileLinks


def write_single_comparison(report: ComparedReport, folder: Path, progress: Progress, most: int | None) -> Quality:
    """Write index.html into an empty folder, with maps kept as finely as the size allows.

    Args:
        most: bytes that it may have; 25 MB, where maps can be made so coarse, if it isn't said.

    Raises:
        BadRequest: the page can't be made so small.
    """
    return fit(_ComparisonPage(report, folder / "index.html", OncePerImage(progress)), most)


@dataclass(frozen=True)
class _ComparisonPage:
    """The single file of a comparison."""

    report: ComparedReport
    path: Path
    progress: Progress

    def write(self, quality: Quality, notices: SizeNotices) -> tuple[int, Counter[str]]:
        """Write it; its size, and how many bytes of it the maps of each method take."""
        comparison = self.report.comparison
        images = comparison.images
        if quality.left_out:
            images = ChosenImages(images, range(len(images)), partial(_without_maps, quality.left_out))
        comparison = replace(comparison, images=images, notices=notices.around(comparison.notices))
        report, weights = ComparedReport(comparison, self.report.runs, len(self.report.images)), Counter[str]()
        size = write_single_page(
            self.path,
            frame(report),
            data={"provenance": {}, GALLERY: compared_gallery_data(report)},
            parts=list(parts_of(comparison_pages(comparison_figure(report)), report)),
            images=_images(report, quality, self.progress, weights),
            image_template="comparison_image.html",
        )
        return size, weights

    def sampled_bytes(self, quality: Quality) -> int:
        """What the maps of the first images take."""
        entries = islice(self.report.records(), IMAGES)
        data = (
            image_data(self.report, image, records, self.report.arrays(records), quality) for image, records in entries
        )
        return sum(len(assets.script_json(content["maps"])) for content in data)

    def error(self, quality: Quality) -> MapError | None:
        """What a quality costs the maps of the first images of each run."""
        errors = [error for run in self.report.runs if (error := map_error(run, quality)) is not None]
        if not errors:
            return None
        return MapError(max(error.mean for error in errors), max(error.largest for error in errors))

    @property
    def methods(self) -> dict[str, str]:
        """The titles of the methods, those first that the first run recommends."""
        return {method.key: method.info.title for method in self.report.ranked}


def _without_maps(methods: Sequence[str], image: ComparedImage) -> ComparedImage:
    """An image without the maps of some methods; what was measured of these stays."""
    return replace(image, keys={key: keys for key, keys in image.keys.items() if key not in methods})


def _images(
    report: ComparedReport, quality: Quality, progress: Progress, weights: Counter[str]
) -> Iterator[dict[str, Any]]:
    """What the template gets of each image; `weights` gets the bytes that the maps of each method take."""
    for image, records in report.records():
        arrays = report.arrays(records)
        data = image_data(report, image, records, arrays, quality)
        yield {
            "id": image.id,
            "on_overview": False,
            "view": compared_image_view(report, image, records),
            "links": SingleFileLinks(),
            "data": data,
            "thumbnails": {name: data_uri(content) for name, content in image_stills(report, image, arrays)},
            "feature_maps": [],
        }
        for method, maps in data["maps"].items():
            weights[method] += len(assets.script_json(maps))
        progress.done(image.name)
