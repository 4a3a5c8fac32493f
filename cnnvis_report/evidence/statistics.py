"""Means over images with bootstrap intervals, and whether such a mean differs from 0; intervals of a counted share."""

from collections.abc import Sequence
from functools import lru_cache
from math import atan, cos, erfc, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.evidence import Interval

Exact = npt.NDArray[np.float64]

CONFIDENCE = 0.95  # of the intervals that pages show
FAMILY_CONFIDENCE = 0.95  # that not one of all methods is called better, or worse, than a random map by chance
RESAMPLES = 4000
FEWEST = 5  # images with which there is an interval
AT_ONCE = 400_000  # drawn images that are held, ten megabytes whatever the number of images
NORMAL = 1.959963984540054  # the quantile of the standard normal distribution that 95% lie within


class Bootstrap:
    """Means over images with percentile bootstrap intervals; measures of the same images share their resamples.

    The percentiles are expanded for few images, so that the interval is as wide as Student's where values are normal.

    Source: Hesterberg 2015, doi:10.1080/00031305.2015.1089789, sect. 4.1 and 5.3.
    """

    def __init__(self, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self.seed, self.resamples = seed, resamples

    def intervals(self, values: Exact) -> list[Interval | None]:
        """The interval of each column.

        Args:
            values: [images, columns]; nan where an image doesn't count.

        Returns:
            One a column; None where no image counts. Without ends where fewer than FEWEST do.
        """
        results: list[Interval | None] = [None] * values.shape[1]
        for rows, columns in _patterns(values):
            if not len(rows):
                continue
            chosen = values[rows][:, columns]
            ends = self._ends(chosen) if len(rows) >= FEWEST else None
            for index, (column, mean) in enumerate(zip(columns, chosen.mean(axis=0), strict=True)):
                low, high = (None, None) if ends is None else (float(ends[0, index]), float(ends[1, index]))
                results[column] = Interval(float(mean), low, high, len(rows))
        return results

    def interval(self, values: Sequence[float]) -> Interval:
        """The interval of one list of values, which has one at least."""
        (interval,) = self.intervals(np.asarray(values, dtype=np.float64)[:, None])
        assert interval is not None, "an empty list has no mean"
        return interval

    def _ends(self, values: Exact) -> Exact:
        """[2, columns] from [n, columns] without gaps."""
        images, center = len(values), values.mean(axis=0)
        offsets = values - center  # so that a shift of all values is a shift of the interval
        generator = np.random.default_rng([self.seed, images])
        means = np.empty((self.resamples, values.shape[1]))
        step = max(1, AT_ONCE // images)
        for start in range(0, self.resamples, step):
            size = min(step, self.resamples - start)
            drawn = generator.integers(images, size=(size, images)) + np.arange(size)[:, None] * images
            counts = np.bincount(drawn.ravel(), minlength=size * images).reshape(size, images)
            means[start : start + size] = counts @ offsets / images
        share = expanded(1 - CONFIDENCE, images)
        ends: Exact = np.quantile(means, [share, 1 - share], axis=0) + center
        return ends


def direction(values: Exact, interval: Interval | None, comparisons: int) -> int | None:
    """Whether a mean lies above 0 (1), below (-1) or neither (0), where so many means are judged together.

    It does where its 95% bootstrap interval and Student's interval at the family-wise level (Bonferroni) both do:
    a bootstrap of a few thousand resamples doesn't reach that level.

    Args:
        values: [images]; nan where an image doesn't count. interval: of their mean.

    Returns:
        None where there are too few images for an interval.
    """
    if interval is None or interval.low is None or interval.high is None:
        return None
    known = values[~np.isnan(values)]
    tail = (1 - FAMILY_CONFIDENCE) / 2 / max(comparisons, 1)
    reach = t_quantile(1 - tail, len(known) - 1) * float(known.std(ddof=1)) / sqrt(len(known))
    if interval.low > 0 and interval.mean > reach:
        return 1
    return -1 if interval.high < 0 and interval.mean < -reach else 0


def expanded(level: float, images: int) -> float:
    """The share of resamples below the lower end of an interval that misses with probability `level`."""
    return normal_cdf(-sqrt(images / (images - 1)) * t_quantile(1 - level / 2, images - 1))


def normal_cdf(value: float) -> float:
    """The share of a standard normal distribution below a value."""
    return erfc(-value / sqrt(2)) / 2


@lru_cache(maxsize=1024)
def t_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t distribution, for probabilities of 0.5 or more."""
    low, high = 0.0, 1.0
    while _t_cdf(high, freedom) < probability:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, freedom) < probability else (low, middle)
    return high


def _t_cdf(value: float, freedom: int) -> float:
    """The finite series of Abramowitz & Stegun, 26.7.3 and 26.7.4, for values of 0 or more."""
    angle = atan(value / sqrt(freedom))
    square = cos(angle) ** 2
    steps = np.arange(1, freedom // 2 if freedom % 2 == 0 else (freedom - 1) // 2)
    if freedom % 2 == 0:
        inside = sin(angle) * (1 + np.cumprod((2 * steps - 1) / (2 * steps) * square).sum())
    else:
        series = 1 + np.cumprod(2 * steps / (2 * steps + 1) * square).sum() if freedom > 1 else 0.0
        inside = 2 / pi * (angle + sin(angle) * cos(angle) * series)
    return float(1 + inside) / 2


def _patterns(values: Exact) -> list[tuple[npt.NDArray[np.intp], list[int]]]:
    """Rows that count and the columns in which exactly these do."""
    patterns: dict[bytes, list[int]] = {}
    present = ~np.isnan(values)
    for column in range(values.shape[1]):
        patterns.setdefault(present[:, column].tobytes(), []).append(column)
    return [(present[:, columns[0]].nonzero()[0], columns) for columns in patterns.values()]


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
