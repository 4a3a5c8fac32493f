"""Two networks on the same images: whether one is right more often, and medians of what changed."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, takewhile
from math import lgamma, log, log1p, sqrt

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
    """The difference of two accuracies on the same images, later minus first, with a 95% interval.

    The interval spans Tango's score interval and that of McNemar's exact test. It excludes 0 exactly where the test's p
    is below 5%, which the score interval alone doesn't with few changed predictions. Unlike the exact interval and a
    bootstrap, it isn't of zero width where no prediction changed.

    Source: Tango 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B;
    Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404, for the share of the changed predictions that were fixed.

    Args:
        fixed: images that are wrong first and right later. broken: the other way round. images: all of them, 1 or more.
    """
    changed = (fixed + broken) / images
    exact_low = changed * (1 - 2 * _largest_share(broken, fixed + broken))
    exact_high = changed * (2 * _largest_share(fixed, fixed + broken) - 1)
    low = min(-_upper_end(broken, fixed, images), exact_low)
    return Interval((fixed - broken) / images, low, max(_upper_end(fixed, broken, images), exact_high), images)


def _largest_share(successes: int, trials: int) -> float:
    """The largest share with which so few successes have a probability of 2.5%, by bisection; 1 where all succeed."""
    if successes == trials:
        return 1.0
    counts = np.arange(successes + 1)
    ways = np.array([lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1) for count in counts])
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        tail = np.exp(ways + counts * log(middle) + (trials - counts) * log1p(-middle)).sum()
        low, high = (low, middle) if tail < (1 - CONFIDENCE) / 2 else (middle, high)
    return (low + high) / 2


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
