"""Pictures of a comparison: an image's maps of the shown method, one beside the other and each alone."""

from collections.abc import Sequence

import numpy as np

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.report.comparison.maps import Arrays, difference_of, scaled_maps
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.pictures.drawing import draw_map
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
    maps = scaled_maps(method, image.keys[method.key], arrays)
    size = still_size((picture.shape[0], picture.shape[1]))

    def draw(values: Array | None, info: MethodInfo) -> Pixels:
        blank = np.full((*size, 3), 128, dtype=np.uint8)
        return blank if values is None else draw_map(picture, values, info, size)

    drawn = [draw(values, method.info) for values in maps]
    for index, pixels in enumerate(drawn):
        yield f"run{index}", jpeg(pixels)
    yield MAPS, jpeg(np.concatenate(drawn, axis=1))
    if maps[0] is not None and maps[-1] is not None:
        pixels = draw(maps[-1] - maps[0], difference_of(method.info))
        yield "difference", jpeg(pixels)
