"""Marks as lines, since not every font has them: correct, misclassified, warning."""

from cnnvis_report.report.figure.sheet import Color, Line, Point

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


def mark(name: str, x: float, baseline: float, size: float, color: Color) -> list[Line]:
    """The lines of a mark whose left lower corner is at (x, baseline), in text of a size."""
    side, top = WIDTH * size, baseline - WIDTH * size
    return [
        Line(tuple((x + side * right, top + side * down) for right, down in points), color, 0.1 * size, closed)
        for points, closed in STROKES[name]
    ]
