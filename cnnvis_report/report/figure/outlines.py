"""The outline of a ground-truth mask over a cell, as lines that no resolution blurs."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from cnnvis_report.report.figure.sheet import Box, Color, Line, Point
from cnnvis_report.report.pictures.outline import outline

DARK: Color = (0, 0, 0)
LIGHT: Color = (255, 255, 255)
CASING, CORE = 0.15, 0.07  # widths of the dark line and of the light one upon it, of the font's size


def mask_lines(mask: npt.NDArray[Any], box: Box, size: float) -> list[Line]:
    """The outline of a mask, which shows on any color.

    Args:
        mask: [H, W], above 0 on the object. size: of the figure's letters.
    """
    across, down = box.width / mask.shape[1], box.height / mask.shape[0]
    loops = [[(box.x + x * across, box.y + y * down) for x, y in loop] for loop in outline(mask > 0)]
    return [line for loop in loops for line in cased(loop, size)]


def cased(points: Sequence[Point], size: float, *, closed: bool = True) -> list[Line]:
    """A light line with dark edges, for letters of a size."""
    return [Line(tuple(points), color, width * size, closed) for color, width in ((DARK, CASING), (LIGHT, CORE))]
