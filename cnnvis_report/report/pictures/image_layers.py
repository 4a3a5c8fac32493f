"""Pictures of what the layers compute for one image: summaries, projections, class activation maps, inversions."""

import numpy as np
from PIL import Image

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.records.methods import Array, Sign
from cnnvis_report.report.pictures.drawing import draw_over
from cnnvis_report.report.pictures.reveal import reveal
from cnnvis_report.report.pictures.sheet import sheet
from cnnvis_report.report.pictures.thumbnails import Pictures, Pixels, webp
from cnnvis_report.store.run_folder import StoredRun

SUMMARY = 96  # pixels of the longer side


def image_pictures(run: StoredRun, inspected: ImageInspection, picture: Pixels) -> Pictures:
    """By name: each layer as one picture, projections, class maps and inversions of one image.

    picture: what the network saw of it.
    """
    arrays = run.inspection_arrays(inspected.image)
    rules = run.record.inspection.projection_rules if run.record.inspection else ()
    for number, layer in enumerate(inspected.layers):
        summary = arrays[f"summary/{layer}"].astype(np.float32)
        yield f"summary-{number}", _over(picture, summary, Sign.POSITIVE)
        yield f"reveal-{number}", _revealed(picture, summary)
    for number, (layer, units) in enumerate(inspected.units):
        for index in range(len(units)):
            for what in ("crop", *rules):
                yield f"unit-{number}-{index}-{what}", sheet([[arrays[f"units/{layer}/{index}/{what}"]]])
    for class_map in inspected.classes:
        yield f"class-{class_map.index}", _over(picture, arrays[f"classes/{class_map.index}"], Sign.SIGNED)
    for number, inverted in enumerate(inspected.inverted):
        yield f"inverted-{number}", webp(arrays[f"inverted/{inverted.layer}"], lossless_up_to=0)


def _over(picture: Pixels, values: Array, sign: Sign) -> bytes:
    """A coarse map in color over the picture."""
    width, height = _size(picture)
    return webp(draw_over(picture, values, sign, (height, width)), quality=80, lossless_up_to=0)


def _revealed(picture: Pixels, summary: Array) -> bytes:
    """The picture, small, sharp where the layer has something to say."""
    small = Image.fromarray(picture).resize(_size(picture), Image.Resampling.LANCZOS)
    grown = np.asarray(Image.fromarray(summary).resize(small.size, Image.Resampling.BILINEAR))
    return webp(reveal(np.asarray(small), np.clip(grown, 0, 1)), quality=80, lossless_up_to=0)


def _size(picture: Pixels) -> tuple[int, int]:
    """(width, height) of a small picture."""
    scale = SUMMARY / max(picture.shape[:2])
    return max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
