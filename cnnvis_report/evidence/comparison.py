"""A measure over the set: what each method scored, and how that compares with random maps and with the best method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.measurements import Measurements
from cnnvis_report.evidence.statistics import Bootstrap, direction
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.metrics import MetricInfo, MetricKind

Exact = npt.NDArray[np.float64]
Intervals = Sequence[Interval | None]

LOCALIZATION = ("relevance_rank_accuracy",)  # measures that sentences cite, the first that was measured


@dataclass(frozen=True)
class Comparison:
    """What each row scored on a measure.

    signed: [images, rows], values turned so that a larger one speaks for the method. values: their means as they are.
    differences: to the random maps of the same image, of the signed ones; None where there is no random map.
    directions: 1 where a row is better than random maps, -1 worse, 0 neither, None where that isn't known.
    """

    metric: MetricInfo
    signed: Exact
    values: Intervals
    differences: Intervals
    directions: Sequence[int | None]

    @property
    def images(self) -> int:
        """How many count."""
        return int((~np.isnan(self.signed)).any(axis=1).sum())

    def behind(self, best: int, bootstrap: Bootstrap) -> Intervals:
        """How far each row lies behind another one, on the same images; None for that one."""
        intervals = bootstrap.intervals(self.signed[:, [best]] - self.signed)
        return [None if row == best else interval for row, interval in enumerate(intervals)]


def compare(metric: MetricInfo, numbers: Measurements, bootstrap: Bootstrap, comparisons: int) -> Comparison:
    """What each row scored.

    Args:
        comparisons: how many methods are judged together.
    """
    values = numbers.values[metric.name]
    sign = 1 if metric.higher_is_better else -1
    to_random = sign * (values - numbers.random[metric.name][:, None])
    differences = bootstrap.intervals(to_random)
    directions = [direction(to_random[:, row], interval, comparisons) for row, interval in enumerate(differences)]
    return Comparison(metric, sign * values, bootstrap.intervals(values), differences, directions)


def ranking_measure(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The measure that ranks; None where no method could be compared with a random map on it.

    No other measure takes its place then: which one does would be chance, and their orders differ.
    """
    ranking = (comparison for comparison in comparisons if comparison.metric.ranks)
    return next((one for one in ranking if any(value is not None for value in one.directions)), None)


def localization_measure(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The measure of localization that sentences cite; None without masks."""
    known = {
        comparison.metric.name: comparison
        for comparison in comparisons
        if kind_of(comparison.metric) is MetricKind.LOCALIZATION
    }
    first = next(iter(known.values()), None)
    return next((known[name] for name in LOCALIZATION if name in known), first)


def kind_of(metric: MetricInfo) -> MetricKind:
    """What a metric is about; what needs a mask is about localization."""
    return MetricKind.LOCALIZATION if metric.needs_mask else metric.kind
