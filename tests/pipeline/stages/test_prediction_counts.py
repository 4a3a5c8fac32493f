"""Counts of right and wrong answers, against a slow count."""

from collections import Counter

import numpy as np
import pytest

from cnnvis_report.records.predictions import BINS, Prediction, count
from cnnvis_report.report.views.performance.page import class_rows


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
    counted = count(answers)
    right = [answer for answer in answers if answer.correct]
    assert (counted.images, counted.correct) == (301, len(right))
    assert counted.top5 == sum(answer.rank is not None and answer.rank <= 5 for answer in answers)
    assert {(a, b): n for a, b, n in counted.confusion} == Counter(
        (answer.label, answer.predicted) for answer in answers
    )
    error = 0.0
    for index in range(BINS):
        low, high = index / BINS, (index + 1) / BINS
        inside = [
            answer
            for answer in answers
            if low <= answer.probability < high or (index == BINS - 1 and answer.probability == 1)
        ]
        assert (counted.bins[index].images, counted.bins[index].correct) == (
            len(inside),
            sum(answer.correct for answer in inside),
        )
        sure = float(np.mean([answer.probability for answer in inside]))
        error += abs(float(np.mean([answer.correct for answer in inside])) - sure) * len(inside) / 301
    assert counted.calibration_error == pytest.approx(error, abs=1e-12)
    assert counted.confidence_correct == pytest.approx(np.mean([answer.probability for answer in right]))
    assert counted.confidence_misclassified == pytest.approx(
        np.mean([answer.probability for answer in answers if not answer.correct])
    )
    assert [answer.probability for answer in counted.misclassified] == sorted(
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
