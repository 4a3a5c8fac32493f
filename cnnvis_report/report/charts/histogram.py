"""Counts in bins, as stacked columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis, amounts_axis, horizontal, vertical
from cnnvis_report.report.charts.svg import Margins, Words, chart, mark, share
from cnnvis_report.report.views.formatting import number

HEIGHT = 260
GAP = 0.06  # of a bin's width, between two columns


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
