"""What a figure draws as lines, sharp at any size: marks, since not every font has them, outlines of masks, boxes."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from cnnvis_report.report.figure.sheet import Box, Color, Line, Point
from cnnvis_report.report.pictures.outline import outline

WIDTH = 0.72  # of a mark, as a share of the size of the text that it stands in

# Strokes within a square of side 1, y down, whose lower side is the baseline: points, and whether they are closed.
STROKES: dict[str, tuple[tuple[tuple[Point, ...], bool], ...]] = {
    "correct": ((((0.06, 0.55), (0.38, 0.90), (0.96, 0.10)), False),),
    "misclassified": ((((0.12, 0.12), (0.88, 0.92)), False), (((0.88, 0.12), (0.12, 0.92)), False)),
    "warning": (
        (((0.5, 0.04), (1.0, 0.94), (0.0, 0.94)), True),
        (((0.5, 0.36), (0.5, 0.64)), False),
        (((0.5, 0.76), (0.5, 0.80)), False),
    ),
}
DARK: Color = (0, 0, 0)
LIGHT: Color = (255, 255, 255)
YELLOW: Color = (255, 214, 0)
CASING, CORE = 0.15, 0.07  # widths of the dark line and of the light one upon it, of the font's size


def mark(name: str, x: float, baseline: float, size: float, color: Color) -> list[Line]:
    """The lines of a mark whose left lower corner is at (x, baseline), in text of a size."""
    side, top = WIDTH * size, baseline - WIDTH * size
    return [
        Line(tuple((x + side * right, top + side * down) for right, down in points), color, 0.1 * size, closed)
        for points, closed in STROKES[name]
    ]


def mask_lines(mask: npt.NDArray[Any], box: Box, size: float) -> list[Line]:
    """The outline of a mask, which shows on any color.

    Args:
        mask: [H, W], above 0 on the object. size: of the figure's letters.
    """
    across, down = box.width / mask.shape[1], box.height / mask.shape[0]
    loops = [[(box.x + x * across, box.y + y * down) for x, y in loop] for loop in outline(mask > 0)]
    return [line for loop in loops for line in cased(loop, size)]


def box_lines(corners: Sequence[float], picture: tuple[int, ...], box: Box, size: float) -> list[Line]:
    """The outline of a predicted box.

    Args:
        corners: left, top, right and bottom in pixels of the picture, within it. picture: its shape, [H, W] or
            [H, W, 3]. size: of the figure's letters.
    """
    inside = CASING * size / 2  # the whole line stays within the cell
    sides = zip(corners, (box.x, box.y) * 2, (box.width, box.height) * 2, (picture[1], picture[0]) * 2, strict=True)
    left, top, right, bottom = (
        min(max(start + side * length / pixels, start + inside), start + length - inside)
        for side, start, length, pixels in sides
    )
    return cased([(left, top), (right, top), (right, bottom), (left, bottom)], size, core=YELLOW)


def cased(points: Sequence[Point], size: float, *, closed: bool = True, core: Color = LIGHT) -> list[Line]:
    """A light line with dark edges, for letters of a size."""
    return [Line(tuple(points), color, width * size, closed) for color, width in ((DARK, CASING), (core, CORE))]
