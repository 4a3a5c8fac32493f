"""Macro-F1 against values computed by hand, and its interval."""

from statistics import fmean

import pytest

from cnnvis_report.evidence.f1 import macro_f1

CASES = {
    "all correct": ([("a", "a", 5), ("b", "b", 7)], 1.0),
    "none correct": ([("a", "b", 6), ("b", "a", 6)], 0.0),
    # a: precision 3/4, recall 3/5; b: 2/4 and 2/3; F1 is 2/3 and 4/7
    "two classes": ([("a", "a", 3), ("a", "b", 2), ("b", "a", 1), ("b", "b", 2)], fmean([2 / 3, 4 / 7])),
    # c is only predicted, so its F1 is 0
    "a class without images": ([("a", "a", 4), ("a", "c", 1), ("b", "b", 5)], fmean([8 / 9, 1.0, 0.0])),
}


@pytest.mark.parametrize(("confusion", "expected"), CASES.values(), ids=CASES)
def test_the_mean_of_the_classes_harmonic_means(confusion: list[tuple[str, str, int]], expected: float) -> None:
    interval = macro_f1(confusion)
    assert interval.mean == pytest.approx(expected)
    assert interval.low is not None and interval.high is not None
    assert interval.low <= interval.mean <= interval.high


def test_equal_classes_give_the_interval_of_a_share() -> None:
    """With one class F1 is 2p/(1+p), so the interval is that of the binomial share p, seen through it."""
    interval = macro_f1([("a", "a", 300), ("a", "b", 100)])
    share = 0.75
    reach = 1.96 * (share * (1 - share) / 400) ** 0.5
    ends = [2 * p / (1 + p) / 2 for p in (share - reach, share + reach)]  # b has F1 0
    assert [interval.low, interval.high] == pytest.approx(ends, abs=0.004)


def test_the_interval_is_the_same_every_time_and_narrows_with_more_images() -> None:
    few, many = (macro_f1([("a", "a", 3 * times), ("a", "b", times), ("b", "b", 4 * times)]) for times in (2, 200))
    again = macro_f1([("a", "a", 6), ("a", "b", 2), ("b", "b", 8)])
    assert few == again
    assert few.high is not None and few.low is not None and many.high is not None and many.low is not None
    assert many.high - many.low < (few.high - few.low) / 5


def test_few_images_have_no_interval() -> None:
    interval = macro_f1([("a", "a", 3), ("b", "a", 1)])
    assert interval.low is None and interval.high is None and interval.images == 4
