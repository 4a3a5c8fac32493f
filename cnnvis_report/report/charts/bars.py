"""Horizontal bars with intervals: one measure of several things."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis
from cnnvis_report.report.charts.svg import Margins, Words, chart, element, mark, share

ROW = 40  # pixels
THICKNESS = 14


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to a value.

    low, high: the ends of its interval; None where it has none. text: the value in words, above the bar at the right.
    """

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    kind: str = "accent"


def bars(words: Words, rows: Sequence[Bar], axis: Axis) -> Markup:
    """A bar a row: its name and value above it, its interval as a whisker."""
    plot = [part for index, row in enumerate(rows) for part in _row(row, index * ROW, axis)]
    return chart(words, plot, height=len(rows) * ROW + 4, margins=Margins(0, 4, 4, 4))


def _row(row: Bar, top: int, axis: Axis) -> Iterator[Markup]:
    y, zero, end = top + 18, axis.position(0.0), axis.position(row.value)
    yield element("text", row.name, x="0", y=top + 13, class_="name")
    yield element("text", row.text, x="100%", y=top + 13, class_="end")
    yield element("rect", x="0", y=y, width="100%", height=THICKNESS, class_="track")
    yield mark(
        "rect",
        f"{row.name}: {row.text}",
        class_=f"mark {row.kind}",
        x=share(min(zero, end)),
        y=y,
        width=share(abs(end - zero)),
        height=THICKNESS,
    )
    if row.low is not None and row.high is not None:
        low, high, middle = share(axis.position(row.low)), share(axis.position(row.high)), y + THICKNESS / 2
        yield element("line", x1=low, x2=high, y1=middle, y2=middle, class_="interval")
        for x in (low, high):
            yield element("line", x1=x, x2=x, y1=middle - 4, y2=middle + 4, class_="interval")
