"""Differences to a random map, drawn as bars along one axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Interval
from cnnvis_report.report.charts.axes import round_step

TICKS = 7  # about so many at most
MARGIN = 0.06  # of the axis, left free at both of its ends


@dataclass(frozen=True)
class Bar:
    """A mean and the ends of its interval as percentages of the axis."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Axis:
    """What is at its two ends; 0 always lies between them."""

    low: float
    high: float

    @property
    def zero(self) -> float:
        """Where 0 lies, as a percentage."""
        return self.position(0.0)

    def position(self, value: float) -> float:
        """Where a value lies, as a percentage."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def bar(self, interval: Interval) -> Bar:
        """An interval along the axis; one without ends has no length."""
        low, high = ends(interval)
        return Bar(*map(self.position, (interval.mean, low, high)))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers along it: where they lie, and in words."""
        step = round_step((self.high - self.low) / TICKS)
        decimals = max(0, -floor(log10(step)))
        numbers = range(ceil(self.low / step), floor(self.high / step) + 1)
        return [(self.position(number * step), words.number(number * step, decimals)) for number in numbers]


def axis_of(intervals: Sequence[Interval]) -> Axis | None:
    """An axis on which all intervals fit; None where they are all 0, or there is none."""
    numbers = [0.0, *(end for interval in intervals for end in ends(interval))]
    low, high = min(numbers), max(numbers)
    margin = MARGIN * (high - low)
    return Axis(low - margin, high + margin) if margin else None


def ends(interval: Interval) -> tuple[float, float]:
    """The ends of an interval, or twice its mean where it has none."""
    low, high = interval.low, interval.high
    return (interval.mean, interval.mean) if low is None or high is None else (low, high)
