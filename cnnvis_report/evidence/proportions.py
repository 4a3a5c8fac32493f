"""Intervals of a share that was counted, such as an accuracy."""

from math import sqrt

NORMAL = 1.959963984540054  # the quantile of the standard normal distribution that 95% lie within


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95% interval of a share, from 0 to 1; of no trials, that is everything.

    It is the score interval: never outside 0 to 1, and not of zero width where all trials succeed.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953; Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286.
    """
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, NORMAL**2
    center = share + square / (2 * trials)
    reach = NORMAL * sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    scale = 1 + square / trials
    return max(0.0, (center - reach) / scale), min(1.0, (center + reach) / scale)
