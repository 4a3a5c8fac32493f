"""Which methods are best, which are comparable, and what the others come to."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from cnnvis_report.evidence.comparison import Comparison, Intervals
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.evidence import Interval, Standing

NEGLIGIBLE = (
    0.02  # of what the best is above random maps; maps that hardly differ may lag by less than that for certain
)


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
    for row, direction in enumerate(comparison.directions):
        if row in failed | baselines or direction is None:
            standings.append(_unranked(row, failed, baselines))
        elif direction == 1:
            reached = Standing.BETTER if ranking.is_behind(row) else Standing.COMPARABLE
            standings.append(Standing.BEST if row == best else reached)
        else:
            standings.append(Standing.WORSE if direction == -1 else _undecided(differences[row]))
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
