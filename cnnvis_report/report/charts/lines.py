"""Lines over epochs or layers, with a legend; points with intervals beside a diagonal, for calibration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis, horizontal, shares_axis, vertical
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


@dataclass(frozen=True)
class Point:
    """Predictions of about one probability.

    mean: their mean probability. share: of them that are right, with the ends of its interval. hint: in words.
    """

    mean: float
    share: float
    low: float
    high: float
    hint: str


def calibration(words: Words, points: Sequence[Point], x_title: str, y_title: str) -> Markup:
    """Points with intervals, beside the diagonal on which probability and share are equal."""
    x_axis, y_axis = shares_axis(x_title), shares_axis(y_title)
    diagonal = element("line", x1="0", y1="100%", x2="100%", y2="0", class_="even")
    marks = [part for point in points for part in _point(point, x_axis, y_axis)]
    legend = [("even", "perfectly calibrated"), ("point", f"{y_title}, with 95% interval")]
    plot = [*vertical(y_axis), *horizontal(x_axis), diagonal, *marks]
    return chart(words, plot, height=HEIGHT, margins=Margins(), legend=legend)


def _point(point: Point, x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    x = share(x_axis.position(point.mean))
    low, high = (share(1 - y_axis.position(end)) for end in (point.low, point.high))
    yield element("line", x1=x, x2=x, y1=low, y2=high, class_="interval")
    yield mark("circle", point.hint, class_="point", cx=x, cy=share(1 - y_axis.position(point.share)), r=5)
