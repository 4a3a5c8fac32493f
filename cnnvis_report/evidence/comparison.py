"""A measure over the set: what each method scored, beside random maps and the best method; which are best by it."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.measurements import Measurements
from cnnvis_report.evidence.statistics import Bootstrap, direction
from cnnvis_report.records.evidence import Interval, Standing
from cnnvis_report.records.metrics import MetricInfo, MetricKind

Exact = npt.NDArray[np.float64]
Intervals = Sequence[Interval | None]

LOCALIZATION = ("relevance_rank_accuracy",)  # measures that sentences cite, the first that was measured
NEGLIGIBLE = (
    0.02  # of what the best is above random maps; maps that hardly differ may lag by less than that for certain
)


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


@dataclass(frozen=True)
class Ranking:
    """Rows by the measure that ranks.

    best: the row with the highest mean difference to random maps, among those that are better than these and failed
    no check; None where there is none. behind: how far each row lies behind it. standings: of each row.
    """

    best: int | None
    behind: Intervals
    standings: Sequence[Standing]
    differences: Intervals

    def difference(self, row: int) -> float:
        """By which rows are ordered; the lowest where it isn't known."""
        interval = self.differences[row]
        return float("-inf") if interval is None else interval.mean

    @property
    def order(self) -> list[int]:
        """All rows: those that were compared by their means, the highest first, then the others by their standings.

        Standings alone would put a row whose interval is wide above one that has a higher mean and is surely behind.
        """
        standings = list(Standing)
        tiers = [max(standings.index(standing), standings.index(Standing.WORSE)) for standing in self.standings]
        return sorted(range(len(tiers)), key=lambda row: (tiers[row], -self.difference(row), row))

    def leads(self, row: int) -> bool:
        """Whether a row is the best or can't be told from it, and no row with a higher mean is surely behind.

        A wide interval alone doesn't put a method above one that scored more.
        """
        if self.standings[row] not in (Standing.BEST, Standing.COMPARABLE):
            return False
        rows = enumerate(self.standings)
        return all(self.difference(row) > self.difference(other) for other, one in rows if one is Standing.BETTER)

    def is_behind(self, row: int) -> bool:
        """Whether a row lies behind the best for certain, and not only by a trifle."""
        interval = self.behind[row]
        if self.best is None or interval is None or interval.low is None:
            return False
        return interval.low > 0 and interval.mean > NEGLIGIBLE * self.difference(self.best)


def rank(
    comparison: Comparison | None,
    rows: int,
    *,
    candidates: Set[int],
    failed: Set[int],
    baselines: Set[int],
    bootstrap: Bootstrap,
) -> Ranking:
    """Order rows by what they scored, compared with random maps.

    Args:
        comparison: the measure that ranks; None where none does. candidates: rows that may be the best, one of each
        group of equal maps. failed: rows that failed a check. baselines: rows that are random maps themselves.
    """
    unknown: list[Interval | None] = [None] * rows
    if comparison is None:
        standings = [_unranked(row, failed, baselines) for row in range(rows)]
        return Ranking(None, unknown, standings, unknown)
    differences = comparison.differences
    better = [
        (interval.mean, -row)
        for row in candidates - failed - baselines
        if (interval := differences[row]) is not None and comparison.directions[row] == 1
    ]
    best = -max(better)[1] if better else None
    behind = unknown if best is None else comparison.behind(best, bootstrap)
    ranking = Ranking(best, behind, (), differences)
    standings = []
    for row, sign in enumerate(comparison.directions):
        if row in failed | baselines or sign is None:
            standings.append(_unranked(row, failed, baselines))
        elif sign == 1:
            reached = Standing.BETTER if ranking.is_behind(row) else Standing.COMPARABLE
            standings.append(Standing.BEST if row == best else reached)
        else:
            standings.append(Standing.WORSE if sign == -1 else _undecided(differences[row]))
    return Ranking(best, behind, standings, differences)


def _undecided(interval: Interval | None) -> Standing:
    """What an interval says that isn't enough for a statement on all methods together."""
    if interval is not None and interval.low is not None and interval.low > 0:
        return Standing.POSSIBLY_BETTER
    below = interval is not None and interval.high is not None and interval.high < 0
    return Standing.POSSIBLY_WORSE if below else Standing.CHANCE


def _unranked(row: int, failed: Set[int], baselines: Set[int]) -> Standing:
    if row in baselines:
        return Standing.REFERENCE
    return Standing.FAILED if row in failed else Standing.UNKNOWN
