"""Counts of right and wrong answers, against a slow count."""

from collections import Counter

import numpy as np
import pytest

from cnnvis_report.records.predictions import BINS, Prediction, count
from cnnvis_report.report.views.performance import class_rows


def answer(
    label: str, predicted: str, probability: float, own: float | None = None, rank: int | None = None
) -> Prediction:
    return Prediction("", f"{label}-{probability}", label, predicted, label == predicted, probability, own, rank)


def test_counts_are_those_of_a_slow_count() -> None:
    random = np.random.default_rng(0)
    answers = [
        answer(str(a), str(b), float(p), rank=int(r))
        for a, b, p, r in zip(
            *random.integers(0, 4, (2, 300)), random.uniform(0, 1, 300), random.integers(1, 9, 300), strict=True
        )
    ]
    answers.append(answer("1", "1", 1.0, rank=1))
    found = count(answers)
    right = [each for each in answers if each.correct]
    assert (found.images, found.correct) == (301, len(right))
    assert found.top5 == sum(each.rank is not None and each.rank <= 5 for each in answers)
    assert {(a, b): n for a, b, n in found.confusion} == Counter((each.label, each.predicted) for each in answers)
    error = 0.0
    for place in range(BINS):
        low, high = place / BINS, (place + 1) / BINS
        inside = [
            each for each in answers if low <= each.probability < high or (place == BINS - 1 and each.probability == 1)
        ]
        assert (found.bins[place].images, found.bins[place].correct) == (
            len(inside),
            sum(each.correct for each in inside),
        )
        sure = float(np.mean([each.probability for each in inside]))
        error += abs(float(np.mean([each.correct for each in inside])) - sure) * len(inside) / 301
    assert found.calibration_error == pytest.approx(error, abs=1e-12)
    assert found.confidence_correct == pytest.approx(np.mean([each.probability for each in right]))
    assert found.confidence_misclassified == pytest.approx(
        np.mean([each.probability for each in answers if not each.correct])
    )
    assert [each.probability for each in found.misclassified] == sorted(
        (e.probability for e in answers if not e.correct), reverse=True
    )


def test_classes_are_found_and_rightly_so() -> None:
    rows = class_rows(
        count(
            [answer("cat", "cat", 0.9), answer("cat", "dog", 0.8), answer("cat", "dog", 0.7), answer("dog", "dog", 0.6)]
        )
    )
    assert [(row.name, row.recall, row.precision, row.confused_with, row.times) for row in rows] == [
        ("cat", 1 / 3, 1.0, "dog", 2),
        ("dog", 1.0, 1 / 3, "", 0),
    ]
    alone = class_rows(count([answer("cat", "bird", 0.5)]))
    assert [(row.name, row.recall, row.precision) for row in alone] == [("cat", 0.0, None), ("bird", None, 0.0)]
