"""Horizontal bars with intervals: one measure of several things; and counts in bins, as stacked columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis, amounts_axis, horizontal, vertical
from cnnvis_report.report.charts.svg import Margins, Words, chart, element, mark, share
from cnnvis_report.report.views.formatting import number

ROW = 40  # pixels
THICKNESS = 14
HEIGHT = 260
GAP = 0.06  # of a bin's width, between two columns


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


@dataclass(frozen=True)
class Layer:
    """One of the kinds that are stacked: its class of the style sheet, its name, and its count in each bin."""

    kind: str
    name: str
    counts: Sequence[int]


def histogram(words: Words, layers: Sequence[Layer], edges: Sequence[float], x_axis: Axis, y_title: str) -> Markup:
    """Columns over the bins between the edges; layers are stacked, the first one lowest."""
    totals = [sum(counts) for counts in zip(*(layer.counts for layer in layers), strict=True)]
    y_axis = amounts_axis(y_title, max(totals, default=0), whole=True)
    plot = [*vertical(y_axis), *_columns(layers, edges, x_axis, y_axis), *horizontal(x_axis)]
    legend = [(layer.kind, layer.name) for layer in layers] if len(layers) > 1 else []
    return chart(words, plot, height=HEIGHT, margins=Margins(), legend=legend)


def _columns(layers: Sequence[Layer], edges: Sequence[float], x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    for index, (low, high) in enumerate(pairwise(edges)):
        left, right = x_axis.position(low), x_axis.position(high)
        gap, below = GAP * (right - left), 0
        for layer in layers:
            count = layer.counts[index]
            if count:
                yield mark(
                    "rect",
                    f"{number(count)} {layer.name}: {x_axis.written(low)} to {x_axis.written(high)}",
                    class_=f"mark {layer.kind}",
                    x=share(left + gap / 2),
                    width=share(right - left - gap),
                    y=share(1 - y_axis.position(below + count)),
                    height=share(y_axis.position(count)),
                )
            below += count
