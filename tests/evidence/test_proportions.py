"""Wilson's interval: its closed forms, and the equation that its ends solve."""

import pytest

from cnnvis_report.evidence.statistics import NORMAL, wilson

SQUARE = NORMAL**2


@pytest.mark.parametrize("trials", [1, 5, 36, 10_000])
def test_all_and_none_have_closed_forms(trials: int) -> None:
    assert wilson(0, trials) == pytest.approx((0, SQUARE / (trials + SQUARE)))
    assert wilson(trials, trials) == pytest.approx((trials / (trials + SQUARE), 1))


@pytest.mark.parametrize(("successes", "trials"), [(34, 36), (1, 2), (3, 7), (613, 1000)])
def test_the_ends_are_as_far_from_the_share_as_the_score_test_allows(successes: int, trials: int) -> None:
    for end in wilson(successes, trials):
        assert (successes / trials - end) ** 2 == pytest.approx(SQUARE * end * (1 - end) / trials)


def test_an_interval_mirrors_with_its_share() -> None:
    low, high = wilson(9, 40)
    assert wilson(31, 40) == pytest.approx((1 - high, 1 - low))


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0, 0) == (0, 1)
