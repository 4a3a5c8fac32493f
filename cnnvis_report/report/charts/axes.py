"""Axes of charts: round numbers along them, and where a value lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from cnnvis_report.report.charts.svg import element, share
from cnnvis_report.report.views.formatting import number, percent

TICKS = 6  # about so many at most


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`, with round numbers along it, and how they are written."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    written: Callable[[float], str] = number

    def position(self, value: float) -> float:
        """Where a value lies, from 0 to 1; values beyond the ends lie at them."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def shares_axis(title: str) -> Axis:
    """An axis of shares, from 0% to 100%."""
    return Axis(title, 0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), _share)


def _share(value: float) -> str:
    """Such as "20%" at a tick, or "63.1%" of a point."""
    return percent(value).replace(".0%", "%")


def amounts_axis(title: str, highest: float, *, whole: bool = False) -> Axis:
    """An axis from 0 to a round number that isn't below the highest value; of whole numbers where they are counts."""
    step = round_step((highest or 1.0) / TICKS)
    step = max(step, 1.0) if whole else step
    steps = max(1, ceil((highest or 1.0) / step - 1e-9))
    return Axis(title, 0.0, steps * step, tuple(round(index * step, 12) for index in range(steps + 1)))


def counting_axis(title: str, first: int, last: int) -> Axis:
    """An axis of whole numbers, such as epochs, with half a step of room at both ends."""
    step = max(1, int(round_step((last - first) / 10))) if last > first else 1
    ticks = tuple(float(value) for value in range(first, last + 1) if value == first or value % step == 0)
    return Axis(title, first - 0.5, last + 0.5, ticks)


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … (and of 0.5, 0.2, …) that isn't below."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def horizontal(axis: Axis) -> Iterator[Markup]:
    """Ticks and title below the plot."""
    for value in axis.ticks:
        yield element("text", axis.written(value), x=share(axis.position(value)), y="100%", dy=18, class_="middle")
    yield element("line", x1="0", x2="100%", y1="100%", y2="100%", class_="axis")
    if axis.title:
        yield element("text", axis.title, x="50%", y="100%", dy=36, class_="middle")


def vertical(axis: Axis) -> Iterator[Markup]:
    """Grid lines with their numbers at the left of the plot, and the title above them."""
    for value in axis.ticks:
        y = share(1 - axis.position(value))
        yield element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid")
        yield element("text", axis.written(value), x="0", dx=-8, y=y, dy="0.35em", class_="end")
    if axis.title:
        yield element("text", axis.title, x="0", dx=-44, y="0", dy=-12)
