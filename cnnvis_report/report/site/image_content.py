"""What the page of one image shows beside its text: thumbnails, maps as data, pictures of the layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.report.payload import Arrays, first_ends, image_data, map_facts
from cnnvis_report.report.pictures.bands import band_pictures
from cnnvis_report.report.pictures.feature_maps import layer_data
from cnnvis_report.report.pictures.image_layers import image_pictures
from cnnvis_report.report.pictures.segmentation import boxes_picture, segmentation_picture
from cnnvis_report.report.pictures.thumbnails import Pictures, map_thumbnail, thumbnail
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views.image.page import Neighbors, with_neighbors
from cnnvis_report.report.views.image.segmentation import PICTURE
from cnnvis_report.report.views.image.tiles import ScaleEnds
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class ImageContent:
    """An image, with all that its page shows.

    ends: of the color scales of the maps that are shown first.
    thumbnails: "picture" and a map of each method. data: what the page's scripts draw. pictures: of the layers,
    of single bands and of what is predicted where, WebP. feature_maps: what the page's scripts draw of each layer.
    """

    image: ImageRecord
    neighbors: Neighbors
    ends: ScaleEnds
    thumbnails: dict[str, bytes]
    data: dict[str, Any]
    pictures: dict[str, bytes]
    feature_maps: list[dict[str, Any]]


def image_contents(report: Report, most: int | None = None) -> Iterator[ImageContent]:
    """The content of each image's page in order, made by several processors.

    Args:
        most: feature maps are averaged down to so many positions a side.
    """
    workers = processors(WORKERS)
    make = partial(image_content, report, most)
    yield from ahead(make, with_neighbors(report), workers=workers, waiting=workers)


def image_content(report: Report, most: int | None, entry: tuple[ImageRecord, Neighbors]) -> ImageContent:
    """The content of the page of an image; `most` as of `image_contents`."""
    image, neighbors = entry
    arrays = report.stored.maps(image)
    inspected = report.run.inspection.of(image.id) if report.run.inspection else None
    data = image_data(report.run, image, arrays, report.quality)
    ends = first_ends(image, data)
    return ImageContent(
        image,
        neighbors,
        ends,
        dict(_thumbnails(report.stored, image, arrays, ends)),
        data | {"facts": map_facts(report, image)},
        _pictures(report, image, inspected, arrays),
        list(layer_data(report.stored, inspected, most)) if inspected else [],
    )


def _pictures(
    report: Report, image: ImageRecord, inspected: ImageInspection | None, arrays: Arrays
) -> dict[str, bytes]:
    """Of the layers, of single bands, and of what is predicted where."""
    pictures = dict(band_pictures(report.run, image, arrays))
    pictures |= dict(image_pictures(report.stored, inspected, arrays["picture"])) if inspected else {}
    if "segmentation" in arrays:
        pictures[PICTURE] = segmentation_picture(arrays["picture"], arrays["segmentation"])
    if "boxes" in arrays:
        pictures[PICTURE] = boxes_picture(arrays["picture"], arrays["boxes"])
    return pictures


def _thumbnails(stored: StoredRun, image: ImageRecord, arrays: Arrays, ends: ScaleEnds) -> Pictures:
    """The picture, and the map of each method that is shown first: of the first class, at the first layer."""
    yield "picture", thumbnail(arrays["picture"])
    for name, record in image.first_maps.items():
        method = stored.record.method(name)
        yield name, map_thumbnail(arrays["picture"], method.shown(arrays[record.key]), method, ends[name][0])
