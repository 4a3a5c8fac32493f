"""The form of a figure: its width, its letters, its resolution, and its colors beside the maps."""

from dataclasses import dataclass, field
from math import ceil, floor, inf

from cnnvis_report.report.figure.sheet import Color


@dataclass(frozen=True)
class Theme:
    """Colors of all but the maps; `correct` and `misclassified` are those of the pages."""

    background: Color = (255, 255, 255)
    ink: Color = (23, 25, 28)
    muted: Color = (95, 100, 108)
    correct: Color = (11, 99, 197)
    misclassified: Color = (181, 71, 8)
    frame: Color = (190, 192, 195)


DARK = Theme((17, 19, 22), (232, 233, 234), (165, 171, 180), (106, 174, 255), (255, 162, 77), (75, 81, 89))


@dataclass(frozen=True)
class Style:
    """The form of a figure: its width in mm, the size of its letters in points, pixels an inch, and colors.

    widest: how wide a cell gets at most, in mm; a figure of few columns is narrower for it.
    """

    width_mm: float = 178.0
    font_size: float = 8.0
    dpi: int = 300
    theme: Theme = field(default_factory=Theme)
    widest: float = inf

    @property
    def pixel(self) -> float:
        """The side of a pixel in points, on whose grid all boxes lie."""
        return 72 / self.dpi

    def down(self, length: float) -> float:
        """A length in points, cut to whole pixels."""
        return floor(length / self.pixel + 1e-9) * self.pixel

    def up(self, length: float) -> float:
        """A length in points, grown to whole pixels."""
        return ceil(length / self.pixel - 1e-9) * self.pixel

    def near(self, length: float) -> float:
        """A length in points, rounded to whole pixels, at least one."""
        return max(1, round(length / self.pixel)) * self.pixel
