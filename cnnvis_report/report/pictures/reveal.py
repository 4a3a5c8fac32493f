"""A picture that is sharp where a map is large, and blurred where it is small."""

import numpy as np
from PIL import Image, ImageFilter

from cnnvis_report.records.methods import Array
from cnnvis_report.report.pictures.thumbnails import Pixels

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
