"""Pictures of a comparison: an image's maps of the shown method, one beside the other and each alone."""

from collections.abc import Sequence

import numpy as np

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.report.comparison.maps import Arrays, difference_of, scaled_maps
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.pictures.drawing import draw_map, draw_picture
from cnnvis_report.report.pictures.palettes import Pixels
from cnnvis_report.report.pictures.thumbnails import Pictures, jpeg, still_size, thumbnail

MAPS = "maps"  # of all runs in one picture, from the first to the last


def image_stills(report: ComparedReport, image: ComparedImage, arrays: Sequence[Arrays]) -> Pictures:
    """The picture, the shown method's maps in one picture, each alone, and the last run's less the first one's."""
    picture = arrays[0]["picture"]
    yield "picture", thumbnail(picture)
    method = report.shown
    if method is None or not any(image.keys.get(method.key, ())):
        return
    drawn = _drawn(method, image, arrays, _below(picture, still_size(picture)))
    for index, pixels in enumerate(drawn[: len(arrays)]):
        yield f"run{index}", jpeg(pixels)
    yield MAPS, jpeg(np.concatenate(drawn[: len(arrays)], axis=1))
    if len(drawn) > len(arrays):
        yield "difference", jpeg(drawn[-1])


def row_stills(report: ComparedReport, image: ComparedImage, arrays: Sequence[Arrays]) -> Pictures:
    """Of each method the maps of all runs and their differences in one small picture, for pages without scripts."""
    picture = arrays[0]["picture"]
    height, width = still_size(picture)
    below = _below(picture, (max(1, height // 2), max(1, width // 2)))
    for number, method in enumerate(report.methods):
        if any(image.keys.get(method.key, ())):
            yield row_name(number), jpeg(np.concatenate(_drawn(method, image, arrays, below), axis=1))


def row_name(number: int) -> str:
    """What the picture of a method's row is called, by the position of the method."""
    return f"row{number}"


def _below(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture at the size of maps that are drawn over it, once for all of them."""
    return draw_picture(picture, size).astype(np.uint8)


def _drawn(method: ComparedMethod, image: ComparedImage, arrays: Sequence[Arrays], below: Pixels) -> list[Pixels]:
    """The maps of each run over the picture, then those of later runs less that of the first."""
    maps, size = scaled_maps(method, image.keys[method.key], arrays), (below.shape[0], below.shape[1])

    def draw(values: Array | None, info: MethodInfo) -> Pixels:
        return np.full((*size, 3), 128, dtype=np.uint8) if values is None else draw_map(below, values, info, size)

    changes = [None if maps[0] is None or values is None else values - maps[0] for values in maps[1:]]
    differences = [draw(values, difference_of(method.info)) for values in changes]
    return [*(draw(values, method.info) for values in maps), *differences]
