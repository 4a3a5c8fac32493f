"""One home for what counts as the prediction of a labeled image."""

from typing import Any

import pytest

from cnnvis_report.records.images import ClassScore
from cnnvis_report.records.predictions import prediction_of

TOP = [ClassScore(index, name, 9.0 - index, 0.4 - 0.1 * index) for index, name in enumerate("abcde")]
OTHERS = [ClassScore(index, name, 0.0, None) for index, name in enumerate("fghij", start=5)]


@pytest.mark.parametrize(
    ("labels", "label", "correct", "rank"),
    [
        ([TOP[0]], "a", True, 1),
        ([TOP[2]], "c", False, 3),
        ([OTHERS[0]], "f", False, None),
        ([TOP[3], TOP[0]], "a", True, 1),
        ([TOP[3], TOP[1]], "b", False, 2),
        ([OTHERS[1], TOP[4]], "e", False, 5),
        ([OTHERS[2], OTHERS[1]], "h", False, None),
    ],
    ids=["right", "third", "not-in-top", "one-of-two-right", "higher-of-two", "in-top-of-two", "none-in-top"],
)
def test_the_label_is_the_one_with_the_highest_score(labels: Any, label: Any, correct: Any, rank: int) -> None:
    found = prediction_of("id", "name", TOP, labels)
    assert (found.label, found.correct, found.rank) == (label, correct, rank)
    assert (found.predicted, found.probability) == ("a", 0.4)
    assert found.label_probability == next(score.probability for score in labels if score.name == label)
