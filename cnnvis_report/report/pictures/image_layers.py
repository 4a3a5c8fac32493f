"""Pictures of what the layers compute for one image: summaries, projections, class activation maps, inversions."""

import numpy as np
from PIL import Image, ImageFilter

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.records.methods import Array, Sign
from cnnvis_report.report.pictures.drawing import draw_over
from cnnvis_report.report.pictures.sheet import sheet
from cnnvis_report.report.pictures.thumbnails import Pictures, Pixels, webp
from cnnvis_report.store.run_folder import StoredRun

SUMMARY = 96  # pixels of the longer side
# Standard deviations of the blurs between which a pixel is mixed, as shares of the longer side: sharp to soft.
BLURS = (0.0, 0.006, 0.016, 0.035, 0.07)


def reveal(picture: Pixels, importance: Array) -> Pixels:
    """The picture [H, W] or [H, W, 3], each pixel blurred by 1 - importance.

    Args:
        importance: [H, W] in 0..1; 1 leaves a pixel as it is.
    """
    original = Image.fromarray(picture)
    side = max(picture.shape[:2])
    levels = [np.asarray(original.filter(ImageFilter.GaussianBlur(share * side)), dtype=np.float64) for share in BLURS]
    depth = (1 - importance) * (len(levels) - 1)
    low = np.minimum(len(levels) - 2, np.floor(depth)).astype(int)
    share = depth - low
    mixed = np.zeros(picture.shape)
    for number, level in enumerate(levels):
        weight = np.where(low == number, 1 - share, 0) + np.where(low + 1 == number, share, 0)
        mixed += level * (weight if picture.ndim == 2 else weight[..., None])
    return np.floor(mixed + 0.5).astype(np.uint8)


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
