"""Calibration: how often predictions of about one probability are right, as points with intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.report.charts.axes import Axis, horizontal, shares_axis, vertical
from cnnvis_report.report.charts.svg import Margins, Words, chart, element, mark, share

HEIGHT = 260


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
