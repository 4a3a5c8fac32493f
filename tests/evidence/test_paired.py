"""McNemar's test, the interval of a paired difference and that of a median: closed forms, enumeration, coverage."""

from itertools import product
from math import comb, factorial

import numpy as np
import pytest

from cnnvis_report.evidence.paired import accuracy_difference, mcnemar, median_of
from cnnvis_report.evidence.statistics import NORMAL

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize(
    ("fixed", "broken", "p_value"),
    [(0, 0, 1.0), (1, 0, 1.0), (0, 5, 2 / 32), (1, 5, 14 / 64), (3, 3, 1.0), (10, 2, 2 * (1 + 12 + 66) / 4096)],
)
def test_mcnemar_equals_its_closed_form(fixed: int, broken: int, p_value: float) -> None:
    assert mcnemar(fixed, broken) == mcnemar(broken, fixed) == pytest.approx(p_value, rel=1e-15)


@pytest.mark.parametrize("trials", range(1, 13))
def test_mcnemar_is_the_share_of_coin_tosses_that_are_as_uneven(trials: int) -> None:
    surpluses = [abs(2 * sum(coins) - trials) for coins in product((0, 1), repeat=trials)]
    for fixed in range(trials + 1):
        uneven = sum(surplus >= abs(2 * fixed - trials) for surplus in surpluses) / 2**trials
        assert mcnemar(fixed, trials - fixed) == pytest.approx(uneven, rel=1e-12)


def test_mcnemar_of_many_images_is_finite_and_near_its_approximation() -> None:
    assert mcnemar(5000, 5200) == pytest.approx(0.0487, abs=5e-4)  # continuity-corrected: z = 199 / √10200
    assert mcnemar(0, 4000) == 0.0


@pytest.mark.parametrize(
    ("fixed", "broken", "images"), [(0, 0, 50), (5, 12, 100), (30, 0, 40), (1, 0, 1), (200, 180, 900)]
)
def test_a_difference_lies_in_its_interval_and_turns_around(fixed: int, broken: int, images: int) -> None:
    interval, turned = accuracy_difference(fixed, broken, images), accuracy_difference(broken, fixed, images)
    assert interval.low is not None and interval.high is not None and turned.low is not None
    assert interval.mean == (fixed - broken) / images and interval.images == images
    assert -1 <= interval.low <= interval.mean <= interval.high <= 1 and interval.high > interval.low
    assert (interval.low, interval.mean) == pytest.approx((-turned.high, -turned.mean))  # type: ignore[operator]


@pytest.mark.parametrize("images", [5, 50, 500])
def test_without_a_changed_prediction_the_interval_has_a_closed_form(images: int) -> None:
    # n Δ² = z² Δ (1 − Δ): the score interval of no success in n trials
    end = NORMAL**2 / (images + NORMAL**2)
    interval = accuracy_difference(0, 0, images)
    assert (interval.low, interval.high) == pytest.approx((-end, end), abs=1e-9)


@pytest.mark.parametrize("images", [40, 1000])
def test_the_interval_excludes_zero_exactly_where_mcnemars_test_does(images: int) -> None:
    # Tango's score interval alone excludes it for (12, 4), (4, 0) and others, whose p is 0.077 and 0.125
    for changed in range(41):
        for fixed in range(changed + 1):
            interval = accuracy_difference(fixed, changed - fixed, images)
            assert interval.low is not None and interval.high is not None
            assert (interval.low > 0 or interval.high < 0) == (mcnemar(fixed, changed - fixed) < 0.05)


@pytest.mark.parametrize(("gain", "loss"), [(0.05, 0.05), (0.02, 0.1), (0.3, 0.1), (0.01, 0.0), (0.5, 0.2)])
def test_the_interval_holds_the_difference_as_often_as_it_says(gain: float, loss: float) -> None:
    """Over all outcomes of 40 images, each with its probability."""
    images, coverage = 40, 0.0
    for fixed in range(images + 1):
        for broken in range(images + 1 - fixed):
            rest = images - fixed - broken
            ways = factorial(images) // (factorial(fixed) * factorial(broken) * factorial(rest))
            chance = ways * gain**fixed * loss**broken * (1 - gain - loss) ** rest
            if chance > 1e-7:
                interval = accuracy_difference(fixed, broken, images)
                assert interval.low is not None and interval.high is not None
                coverage += chance * (interval.low <= gain - loss <= interval.high)
    assert 0.95 < coverage <= 1.0


@pytest.mark.parametrize(("amount", "order"), [(6, 1), (8, 1), (9, 2), (12, 3), (20, 6), (100, 40)])
def test_the_median_lies_between_tabled_order_statistics(amount: int, order: int) -> None:
    # the table of binomial limits, e.g. Conover, Practical Nonparametric Statistics, sect. 3.2
    values = np.random.default_rng(amount).permutation(amount) + 1.0
    median = median_of(values.tolist())
    assert median is not None
    assert (median.low, median.median, median.high) == (order, (amount + 1) / 2, amount + 1 - order)
    missed = 2 * sum(comb(amount, below) for below in range(order)) / 2**amount
    one_more = missed + 2 * comb(amount, order) / 2**amount
    assert missed <= 0.05 < one_more


@pytest.mark.parametrize("amount", range(6))
def test_few_values_have_no_interval(amount: int) -> None:
    median = median_of([1.0] * amount)
    assert median is None if amount == 0 else (median is not None and median.low is None and median.median == 1.0)
