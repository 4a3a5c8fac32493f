"""Intervals: closed forms, invariances, and how often they hold the truth."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from cnnvis_report.evidence.statistics import (
    FAMILY_CONFIDENCE,
    FEWEST,
    Bootstrap,
    direction,
    expanded,
    normal_cdf,
    t_quantile,
)
from cnnvis_report.records.evidence import Interval

# quantiles of Student's t, as tables print them: degrees of freedom, probability, quantile
TABLE = [
    (1, 0.975, 12.7062),
    (2, 0.95, 2.9200),
    (4, 0.975, 2.7764),
    (5, 0.9995, 6.8688),
    (7, 0.975, 2.3646),
    (15, 0.975, 2.1314),
    (15, 0.995, 2.9467),
    (30, 0.9, 1.3104),
    (120, 0.975, 1.9799),
]


@pytest.mark.parametrize(("freedom", "probability", "quantile"), TABLE)
def test_quantiles_are_those_of_the_tables(freedom: int, probability: float, quantile: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(quantile, abs=6e-5)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    assert t_quantile(0.975, 1_000_000) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-5)
    assert normal_cdf(-1.96) == pytest.approx(NormalDist().cdf(-1.96))
    assert expanded(0.05, 1_000_000) == pytest.approx(0.025, rel=1e-3)


def test_few_images_widen_the_percentiles() -> None:
    """Hesterberg 2015, table 1: at n = 5 a tail of 2.5% becomes 0.1%, at n = 10 1.0%, at n = 20 1.7%."""
    assert [round(100 * expanded(0.05, images), 1) for images in (5, 10, 20)] == [0.1, 0.9, 1.6]


def intervals(values: Any) -> list[Interval]:
    found = Bootstrap().intervals(np.asarray(values, dtype=float))
    assert all(each is not None for each in found)
    return [each for each in found if each is not None]


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None and interval.high is not None
    return interval.low, interval.high


def test_large_samples_have_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(size=(2000, 1))
    (interval,) = intervals(values)
    reach = 1.96 * values.std(ddof=1) / np.sqrt(2000)
    np.testing.assert_allclose(ends(interval), values.mean() + np.array([-reach, reach]), atol=0.1 * reach)


def test_a_single_value_has_an_interval_of_no_width() -> None:
    (interval,) = intervals(np.full((8, 1), 0.3))
    assert interval.images == 8
    np.testing.assert_allclose((interval.mean, *ends(interval)), 0.3, rtol=1e-12)


def test_fewer_than_five_images_have_no_interval_and_none_has_no_mean() -> None:
    values = np.arange(8.0)[:, None] * [1, 1, 1]
    values[FEWEST - 1 :, 1] = np.nan
    values[:, 2] = np.nan
    whole, few, nothing = Bootstrap().intervals(values)
    assert whole is not None and whole.images == 8 and whole.low is not None
    assert few == Interval(1.5, None, None, FEWEST - 1) and nothing is None


def test_an_image_that_does_not_count_changes_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(9, 2))
    longer = np.insert(values, 4, np.nan, axis=0)
    assert Bootstrap().intervals(longer) == Bootstrap().intervals(values)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 100.0), (1e-6, 0.0), (250.0, -3.0)])
def test_intervals_follow_scale_and_shift(scale: float, shift: float) -> None:
    values = np.random.default_rng(1).exponential(size=(12, 3))
    for plain, changed in zip(intervals(values), intervals(scale * values + shift), strict=True):
        np.testing.assert_allclose(ends(changed), scale * np.array(ends(plain)) + shift, rtol=1e-9)


def test_measures_of_the_same_images_share_their_resamples() -> None:
    first, second = np.random.default_rng(2).normal(size=(2, 10, 1))
    together = Bootstrap().intervals(np.hstack([first, second, first]))
    alone = [*Bootstrap().intervals(first), *Bootstrap().intervals(second), *Bootstrap().intervals(first)]
    for one, other in zip(together, alone, strict=True):
        assert one is not None and other is not None
        np.testing.assert_allclose(ends(one), ends(other), rtol=1e-12)


# the truth lies within, as a fraction of 1,500 samples; few skewed images are the hard case for every interval
COVERAGE = [
    ("normal", 5, 0.9, 0.96),
    ("normal", 8, 0.93, 0.965),
    ("normal", 16, 0.935, 0.965),
    ("normal", 50, 0.935, 0.965),
    ("exponential", 5, 0.84, 0.95),
    ("exponential", 8, 0.87, 0.95),
    ("exponential", 16, 0.9, 0.95),
    ("exponential", 50, 0.92, 0.96),
]


@pytest.mark.parametrize(("distribution", "images", "low", "high"), COVERAGE)
def test_intervals_hold_the_truth_as_often_as_they_say(distribution: str, images: int, low: float, high: float) -> None:
    generator = np.random.default_rng(5)
    drawn = generator.normal(size=(images, 1500)) if distribution == "normal" else None
    values = generator.exponential(size=(images, 1500)) - 1 if drawn is None else drawn
    found = [ends(interval) for interval in Bootstrap().intervals(values) if interval is not None]
    assert low <= np.mean([start <= 0 <= end for start, end in found]) <= high


@pytest.mark.parametrize("comparisons", [1, 20])
def test_nothing_is_called_different_by_chance_more_often_than_stated(comparisons: int) -> None:
    values = np.random.default_rng(7).normal(size=(16, 4000))
    found = Bootstrap(resamples=500).intervals(values)
    signs = [direction(values[:, column], interval, comparisons) for column, interval in enumerate(found)]
    wrong, stated = sum(sign != 0 for sign in signs), 4000 * (1 - FAMILY_CONFIDENCE) / comparisons
    assert wrong <= stated + 3 * np.sqrt(stated)


def test_a_direction_has_the_sign_of_the_mean_and_needs_an_interval() -> None:
    values = np.random.default_rng(8).normal(1, 0.2, size=(12, 1))
    for sign in (1, -1):
        (interval,) = Bootstrap().intervals(sign * values)
        assert direction(sign * values[:, 0], interval, 40) == sign
    assert direction(values[:4, 0], Bootstrap().intervals(values[:4])[0], 40) is None
