"""The segmentation that a network predicts, drawn over the image: each class in a color of its own."""

import colorsys

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.report.pictures.palettes import RGB
from cnnvis_report.report.pictures.thumbnails import Pixels, gray, webp

SIDE = 448  # pixels of the longer side at most: the tile is half as wide
OPACITY = 0.6
GOLDEN = 0.618033988749895  # of the circle of hues, so that neighbors in index order never look alike
LIGHTNESSES = (0.5, 0.35, 0.65)


def class_color(index: int) -> RGB:
    """The color of a class, the same for all images."""
    red, green, blue = colorsys.hls_to_rgb(index * GOLDEN % 1, LIGHTNESSES[index % len(LIGHTNESSES)], 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)


def segmentation_picture(picture: Pixels, labels: npt.NDArray[np.integer]) -> bytes:
    """The classes [h, w] at the positions of an image [H, W] or [H, W, 3], in color over its brightness, as WebP."""
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(gray(picture)).resize(size, Image.Resampling.LANCZOS), dtype=np.float64)
    grown = np.asarray(Image.fromarray(labels.astype(np.int32)).resize(size, Image.Resampling.NEAREST))
    classes, inverse = np.unique(grown, return_inverse=True)
    colors = np.array([class_color(int(index)) for index in classes], dtype=np.float64)[inverse.reshape(grown.shape)]
    mixed = (1 - OPACITY) * small[..., None] + OPACITY * colors
    return webp(np.rint(mixed).astype(np.uint8), quality=80)
