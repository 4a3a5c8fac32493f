"""Lines over epochs or layers, with a legend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis, horizontal, vertical
from cnnvis_report.report.charts.svg import Margins, Words, chart, element, mark, share

HEIGHT = 260
POINTS_UP_TO = 60  # values of a line that are marked one by one


@dataclass(frozen=True)
class Line:
    """A line: its class of the style sheet, its name, and its values; those that aren't finite are left out."""

    kind: str
    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Moment:
    """A position along the axis that is marked by an upright line: its value, and its name above the plot."""

    value: float
    name: str


def lines(
    words: Words, series: Sequence[Line], xs: Sequence[float], axes: tuple[Axis, Axis], moments: Sequence[Moment] = ()
) -> Markup:
    """Lines through the points (xs, values).

    Args:
        axes: the horizontal and the vertical one.
        moments: what is marked along the horizontal one.
    """
    x_axis, y_axis = axes
    margins = Margins(bottom=42 if x_axis.title else 24)
    plot = [*vertical(y_axis), *_moments(moments, x_axis), *horizontal(x_axis)]
    for line in series:
        plot += _line(line, xs, x_axis, y_axis)
    return chart(words, plot, height=HEIGHT, margins=margins, legend=[(line.kind, line.name) for line in series])


def _line(line: Line, xs: Sequence[float], x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    values = [(x, y) for x, y in zip(xs, line.values, strict=True) if isfinite(y)]
    positions = [(x_axis.position(x), 1 - y_axis.position(y)) for x, y in values]
    points = " ".join(f"{100 * x:.3f},{100 * y:.3f}" for x, y in positions)
    stretched = element("polyline", points=points, class_=f"line {line.kind}", vector_effect="non-scaling-stroke")
    yield element(
        "svg", stretched, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%", x="0", y="0"
    )
    if len(xs) <= POINTS_UP_TO:
        for (x, y), (at, value) in zip(positions, values, strict=True):
            hint = f"{line.name} {y_axis.written(value)} at {x_axis.written(at)}"
            yield mark("circle", hint, class_=f"dot {line.kind}", cx=share(x), cy=share(y), r=3)


def _moments(moments: Sequence[Moment], x_axis: Axis) -> Iterator[Markup]:
    for moment in moments:
        x = share(x_axis.position(moment.value))
        yield element("line", x1=x, x2=x, y1="0", y2="100%", class_="moment")
        yield element("text", moment.name, x=x, y="0", dy=-6, class_="middle")
