"""Two networks on the same images: whether one is right more often, and medians of what changed."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, takewhile
from math import sqrt

import numpy as np

from cnnvis_report.evidence.statistics import CONFIDENCE, NORMAL
from cnnvis_report.records.comparison import Median
from cnnvis_report.records.evidence import Interval


def mcnemar(fixed: int, broken: int) -> float:
    """The p-value of McNemar's exact two-sided test that an image is as likely fixed as broken.

    Twice the smaller tail of the binomial distribution of fixed + broken images with probability 1/2, at most 1.

    Source: McNemar 1947, doi:10.1007/BF02295996.
    """
    trials = fixed + broken
    tail = next(islice(_tails(trials), min(fixed, broken), None))
    return min(1.0, float(Fraction(2 * tail, 1 << trials)))


def _tails(trials: int) -> Iterator[int]:
    """How many of the 2^n outcomes of n fair coins have at most 0, 1, 2, … heads, as whole numbers of any size."""
    tail, outcomes = 0, 1
    for heads in range(trials + 1):
        tail += outcomes
        yield tail
        outcomes = outcomes * (trials - heads) // (heads + 1)


def accuracy_difference(fixed: int, broken: int, images: int) -> Interval:
    """The difference of two accuracies on the same images, later minus first, with its 95% score interval.

    It holds the differences that McNemar's statistic, generalized to them, doesn't reject. Unlike a bootstrap, it isn't
    of zero width where no prediction changed, and holds its level with few changed ones.

    Source: Tango 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    Args:
        fixed: images that are wrong first and right later. broken: the other way round. images: all of them, 1 or more.
    """
    mean = (fixed - broken) / images
    low = -_upper_end(broken, fixed, images)
    return Interval(mean, low, _upper_end(fixed, broken, images), images)


def _upper_end(gained: int, lost: int, images: int) -> float:
    """The largest difference that isn't rejected, by bisection."""
    low, high = (gained - lost) / images, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _statistic(gained, lost, images, middle) < -NORMAL else (middle, high)
    return (low + high) / 2


def _statistic(gained: int, lost: int, images: int, difference: float) -> float:
    """Tango's score statistic of a difference; at 0 it is McNemar's (gained − lost) / √(gained + lost)."""
    slope = (2 * images - gained + lost) * difference - gained - lost
    constant = -lost * difference * (1 - difference)
    likely_lost = (sqrt(max(slope**2 - 8 * images * constant, 0)) - slope) / (4 * images)
    variance = images * (2 * likely_lost + difference * (1 - difference))
    surplus = gained - lost - images * difference
    if variance <= 0:
        return 0.0 if surplus == 0 else float("-inf") if surplus < 0 else float("inf")
    return surplus / sqrt(variance)


def median_of(values: Sequence[float]) -> Median | None:
    """The median with its 95% interval between order statistics, which holds whatever the distribution is.

    Returns:
        Without ends where there are too few values for an interval, which are fewer than six; None without a value.

    Source: Thompson 1936, doi:10.1214/aoms/1177732502.
    """
    if not values:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    below = _left_out(len(ordered))
    low, high = (float(ordered[below - 1]), float(ordered[-below])) if below else (None, None)
    return Median(float(np.median(ordered)), low, high, len(ordered))


def _left_out(amount: int) -> int:
    """The position from each end, from 1, of the values between which the median lies in 95% of samples; 0 if none."""
    limit = 2**amount * (1 - Fraction(str(CONFIDENCE))) / 2
    return sum(1 for _ in takewhile(lambda tail: tail <= limit, _tails(amount)))
