"""A figure as a drawing: rasters, texts and lines at their places, in points, for any format to draw.

A point is 1/72 inch. x goes to the right and y down from the upper left corner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnvis_report.report.pictures.thumbnails import Pixels

POINTS_PER_MM = 72 / 25.4

Color = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Raster:
    """A picture in a box.

    draw: gives its pixels [height, width, 3] for a size (height, width) in pixels.
    """

    box: Box
    draw: "Callable[[tuple[int, int]], Pixels]"


@dataclass(frozen=True)
class Text:
    """A line of text.

    x, y: on the baseline, where the anchor says. anchor: "start", "middle" or "end". width: as it was measured.
    """

    x: float
    y: float
    text: str
    size: float
    color: Color
    anchor: str
    width: float


@dataclass(frozen=True)
class Line:
    """Straight lines from point to point, and back to the first where `closed`."""

    points: tuple[Point, ...]
    color: Color
    width: float
    closed: bool = False


Element = Raster | Text | Line


@dataclass(frozen=True)
class Cell:
    """Where something stands that a page can link to: a row's head or cell, or a column's title.

    row, column: counted from 0; None for the title of a column, and for the head of a row.
    """

    box: Box
    row: int | None
    column: int | None


@dataclass(frozen=True)
class Sheet:
    """A whole drawing; later elements cover earlier ones.

    dpi: pixels an inch of its rasters, on whose grid their boxes lie.
    """

    width: float
    height: float
    dpi: int
    background: Color
    elements: tuple[Element, ...]
    cells: tuple[Cell, ...]

    def pixels(self, length: float) -> int:
        """A length as whole pixels of the rasters."""
        return max(1, round(length * self.dpi / 72))

    def drawn(self, raster: Raster) -> "Pixels":
        """The pixels of a raster at the resolution of the sheet."""
        return raster.draw((self.pixels(raster.box.height), self.pixels(raster.box.width)))


def hexadecimal(color: Color) -> str:
    """Such as "#0b63c5"."""
    return "#{:02x}{:02x}{:02x}".format(*color)
