"""The segmentation or the boxes that a network predicts, drawn over the image: each class in a color of its own."""

import colorsys
from collections import Counter

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from cnnvis_report.records.scores import BOXES
from cnnvis_report.report.pictures.palettes import RGB
from cnnvis_report.report.pictures.thumbnails import Pixels, gray, webp

SIDE = 448  # pixels of the longer side at most: the tile is half as wide
OPACITY = 0.6
GOLDEN = 0.618033988749895  # of the circle of hues, so that neighbors in index order never look alike
LIGHTNESSES = (0.5, 0.35, 0.65)
MOST = 20  # boxes, beside the best of each class
LEAST = 0.3  # score of these
LINES = 150  # that would lie side by side in the picture


def class_color(index: int) -> RGB:
    """The color of a class, the same for all images."""
    red, green, blue = colorsys.hls_to_rgb(index * GOLDEN % 1, LIGHTNESSES[index % len(LIGHTNESSES)], 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)


def segmentation_picture(picture: Pixels, labels: npt.NDArray[np.integer]) -> bytes:
    """The classes [h, w] at the positions of an image [H, W] or [H, W, 3], in color over its brightness, as WebP."""
    brightness, _ = _brightness(picture)
    small = np.asarray(brightness, dtype=np.float64)
    grown = np.asarray(Image.fromarray(labels.astype(np.int32)).resize(brightness.size, Image.Resampling.NEAREST))
    classes, inverse = np.unique(grown, return_inverse=True)
    colors = np.array([class_color(int(index)) for index in classes], dtype=np.float64)[inverse.reshape(grown.shape)]
    mixed = (1 - OPACITY) * small[..., None] + OPACITY * colors
    return webp(np.rint(mixed).astype(np.uint8), quality=80)


def boxes_picture(picture: Pixels, boxes: npt.NDArray[np.floating]) -> bytes:
    """An image [H, W] or [H, W, 3] with its boxes [M, 6] of corners, class and score, best first, as WebP.

    The best box of each class is drawn, and every other one that is about as sure as detectors' pages show. Second and
    third boxes of a class bear their number.
    """
    plain, scale = _brightness(picture)
    drawn, size = plain.convert("RGB"), plain.size
    draw = ImageDraw.Draw(drawn)
    ranks: Counter[int] = Counter()
    shown = []
    for row, box in enumerate(boxes):
        rank, index = ranks[int(box[4])], int(box[4])
        if rank == 0 or (box[5] >= LEAST and row < MOST):
            shown.append((box, str(rank + 1) if 0 < rank < BOXES else ""))
        ranks[index] += 1
    for box, number in reversed(shown[: 2 * MOST]):  # the best last, over the others
        left, top, right, bottom = (float(side) * scale for side in box[:4])
        corners = max(0.0, left), max(0.0, top), min(size[0] - 1.0, right), min(size[1] - 1.0, bottom)
        if corners[2] > corners[0] and corners[3] > corners[1]:
            _draw(draw, corners, class_color(int(box[4])), number, max(1, round(max(size) / LINES)))
    return webp(np.asarray(drawn), quality=80)


def _brightness(picture: Pixels) -> tuple[Image.Image, float]:
    """The brightness of a picture, no larger than a page shows it, and its scale."""
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Image.fromarray(gray(picture)).resize(size, Image.Resampling.LANCZOS), scale


def _draw(
    draw: ImageDraw.ImageDraw, corners: tuple[float, ...], color: tuple[int, ...], number: str, width: int
) -> None:
    """A box, and its number in its upper left corner where it has one."""
    draw.rectangle(corners, outline=color, width=width)
    if number:
        corner = corners[0] + 2 * width, corners[1] + 2 * width
        draw.rectangle(draw.textbbox(corner, number, font_size=8 * width), fill="black")
        draw.text(corner, number, fill="white", font_size=8 * width)
