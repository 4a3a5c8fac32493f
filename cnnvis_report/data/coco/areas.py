"""Objects of an image as boxes, polygons and runs of pixels, and the masks that they make."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture
from cnnvis_report.data.plain_names import plain

Bits = npt.NDArray[np.bool_]
MOST_CORNERS = 100_000  # of one polygon
FIRST = 48  # the character that stands for 0
BITS, MORE, NEGATIVE = 5, 0x20, 0x10  # of a character: those that count, whether another follows, the sign in the last
MOST_CHARACTERS = 13  # of one count, which hold 64 bits


@dataclass(frozen=True)
class Area:
    """One object, as COCO has it.

    box: left, top, width and height. outline: polygons, x and y in turn; or the runs of an area, `counts` and `size`;
    nothing where the box is all there is.
    """

    label: str
    box: Any
    outline: Any = None

    @property
    def box_size(self) -> float:
        """The area of the box; 0 where there is none."""
        return self.box[2] * self.box[3] if _numbers(self.box, 4) else 0.0

    def draw(self, bits: Bits) -> None:
        """Set the pixels of the object.

        Raises:
            UnusablePicture: neither an outline nor a box says where it is.
        """
        if isinstance(self.outline, dict):
            bits |= pixels_of_runs(self.outline, bits.shape)
        elif isinstance(self.outline, list) and self.outline:
            for polygon in self.outline:
                if not _numbers(polygon, 0) or not 6 <= len(polygon) <= MOST_CORNERS or len(polygon) % 2:
                    raise UnusablePicture("its annotation has a polygon that is none")
                bits |= pixels_of_polygon(polygon, bits.shape)
        elif _numbers(self.box, 4):
            left, top, width, height = self.box
            corners = [left, top, left + width, top, left + width, top + height, left, top + height]
            bits |= pixels_of_polygon(corners, bits.shape)
        else:
            raise UnusablePicture("its annotation has an object that is nowhere")


@dataclass(frozen=True)
class Areas(Annotation):
    """The objects of one image; `size` is its width and height, as the file has them."""

    size: tuple[Any, Any]
    areas: tuple[Area, ...]

    @cached_property
    def digest(self) -> str:
        """Of all that it says."""
        content = [list(self.size), [[area.label, area.box, area.outline] for area in self.areas]]
        return sha256(json.dumps(content, sort_keys=True, default=repr).encode("utf-8", "replace")).hexdigest()

    def draw(self, labels: Sequence[str]) -> Image.Image:
        """The objects with the first of these labels that any has, or all of them."""
        width, height = self.size
        sides = all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in self.size)
        if not sides or width * height > MOST_PIXELS:
            raise UnusablePicture(f"its annotation gives no usable size ({str(width)[:12]}×{str(height)[:12]})")
        areas: Sequence[Area] = self.areas
        for label in labels:
            if of_label := [area for area in self.areas if plain(area.label) == plain(label)]:
                areas = of_label
                break
        bits = np.zeros((height, width), bool)
        for area in areas:
            area.draw(bits)
        if not bits.any():
            raise UnusablePicture("its annotation has no object within the image")
        return Image.fromarray(bits.astype(np.uint8) * 255)


def pixels_of_polygon(corners: Sequence[float], shape: tuple[int, ...]) -> Bits:
    """The pixels whose centers lie in a polygon, by the even-odd rule.

    Args:
        corners: x and y in turn, in pixels from the upper left corner of the image. shape: height and width.
    """
    height, width = shape
    flips = np.zeros((height, width + 1), np.uint8)
    points = np.asarray(corners, np.float64).reshape(-1, 2)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        (left, top), (right, bottom) = sorted(((x0, y0), (x1, y1)), key=lambda point: point[1])
        # rows whose centers lie between the ends; a corner on a center counts once
        first, last = max(0, math.ceil(top - 0.5)), min(height, math.ceil(bottom - 0.5))
        if first >= last:
            continue
        rows = np.arange(first, last)
        crossings = left + (rows + 0.5 - top) * ((right - left) / (bottom - top))
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.intp)
        flips[rows, columns] ^= 1
    inside: Bits = np.bitwise_xor.accumulate(flips, axis=1)[:, :width].astype(bool)
    return inside


def _numbers(values: object, count: int) -> bool:
    """Whether it is a list of so many finite numbers, or of any number of them where the count is 0."""
    return (
        isinstance(values, list)
        and (not count or len(values) == count)
        and all(isinstance(value, int | float) and abs(value) < 1e9 for value in values)
    )


def pixels_of_runs(area: dict[str, Any], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The pixels of an area: runs of pixels outside and inside it in turn, down each column.

    Args:
        area: `size`, height and width, and `counts`, a list or a text. shape: height and width of the image.

    Raises:
        UnusablePicture: they aren't runs of an image of this size.
    """
    counts = area.get("counts")
    runs = unpacked(counts) if isinstance(counts, str) else counts
    height, width = shape
    whole = isinstance(runs, list) and all(isinstance(run, int) and run >= 0 for run in runs)
    if not isinstance(runs, list) or not whole or area.get("size") != [height, width] or sum(runs) != height * width:
        raise UnusablePicture("its annotation has runs that don't fill the image")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def unpacked(text: str) -> list[int]:
    """The counts in a text: 5 bits a character, the lowest first; from the fourth on, differences to the last but one.

    Raises:
        UnusablePicture: a count has no end.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for letter in text:
        code = ord(letter) - FIRST
        if not 0 <= code < 2 * MORE or shift >= BITS * MOST_CHARACTERS:
            raise UnusablePicture("its annotation has runs that can't be read")
        value |= (code & (MORE - 1)) << shift
        shift += BITS
        if code & MORE:
            continue
        if code & NEGATIVE:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise UnusablePicture("its annotation has runs that can't be read")
    return counts
