"""Counts over labels that don't exclude each other, against slow ones."""

from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.records.labels import LabelCounter, average_precision
from cnnvis_report.records.scores import ScoreKind
from tests.data.several_labels import slow_average_precision


def test_average_precision_by_hand() -> None:
    truth = np.array([True, False, True, False, True])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5], dtype=np.float32)
    assert average_precision(truth, scores) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(truth, -scores) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(~truth, scores) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert average_precision(truth, np.zeros(5, np.float32)) == pytest.approx(3 / 5), "equal scores have no order"
    assert average_precision(np.zeros(5, bool), scores) is None
    random = np.random.default_rng(0)
    for _ in range(20):
        truth, scores = random.random(40) < 0.3, random.integers(0, 12, 40).astype(np.float32)
        truth[0] = True
        assert average_precision(truth, scores) == pytest.approx(slow_average_precision(truth, scores))


def test_labels_are_counted_as_a_slow_count_does() -> None:
    random = np.random.default_rng(1)
    names = ["p", "q", "r"]
    truths, probabilities = random.random((50, 3)) < 0.4, random.random((50, 3))
    counting = LabelCounter(names)
    for k, (truth, row) in enumerate(zip(truths, probabilities, strict=True)):
        counting.add("", f"{k:02d}", np.flatnonzero(truth).tolist(), np.log(row / (1 - row)), row)
    found = counting.result()
    above = probabilities > 0.5
    for k, label in enumerate(found.labels):
        both = (above & truths)[:, k].sum()
        assert (label.images, label.predicted, label.correct) == (truths[:, k].sum(), above[:, k].sum(), both)
        assert label.recall == pytest.approx(both / truths[:, k].sum())
        assert label.precision == pytest.approx(both / above[:, k].sum())
        assert label.average_precision == pytest.approx(slow_average_precision(truths[:, k], probabilities[:, k]))
    assert found.exact == (above == truths).all(axis=1).sum() and len(found.misclassified) == 50 - found.exact
    assert found.precision == pytest.approx(truths[above].mean()) and found.recall == pytest.approx(
        above[truths].mean()
    )
    assert sum(each.images for each in found.bins) == 150 and sum(each.correct for each in found.bins) == truths.sum()
    worst = np.where(above != truths, np.abs(probabilities - 0.5), 0).max(axis=1)
    assert [int(each.name) for each in found.misclassified] == np.argsort(-worst)[: len(found.misclassified)].tolist()


def image_record(kind: Any, top: Any, labels: Any = (), predicted: Any = ()) -> Any:
    scores = [ClassScore(k, str(k), 0.0, 0.5) for k in range(5)]
    return ImageRecord(
        id="",
        name="",
        size=(1, 1),
        original_size=(1, 1),
        label=labels[0] if labels else None,
        top=tuple(scores[k] for k in top),
        targets=(),
        maps=(),
        kind=kind,
        labels=tuple(labels),
        predicted=tuple(scores[k] for k in predicted),
    )


def test_what_nobody_knows_is_neither_right_nor_wrong() -> None:
    known, other, unknown = Label("1", 1), Label("2", 2), Label("ghost")
    softmax, sigmoid = ScoreKind.SOFTMAX, ScoreKind.SIGMOID
    assert image_record(softmax, [1, 2]).correct is None
    assert image_record(softmax, [1, 2], [unknown]).correct is None
    assert image_record(softmax, [1], [unknown]).rank is None
    assert image_record(softmax, [1, 2], [known]).correct is True
    assert (image_record(softmax, [2, 1], [known]).correct, image_record(softmax, [2, 1], [known]).rank) == (False, 2)
    assert image_record(softmax, [2, 1], [unknown, known]).correct is False
    assert image_record(softmax, [2, 1], [known, other]).correct is True, "either name is right"
    assert image_record(ScoreKind.VALUE, [0], [known]).correct is None
    assert image_record(sigmoid, [1, 2], [known, other], [1, 2]).correct is True
    assert image_record(sigmoid, [1, 2], [known, other], [1]).correct is False
    assert image_record(sigmoid, [1, 2], [known], [1, 2]).correct is False
    assert image_record(sigmoid, [1, 2], [known, unknown], [1]).correct is True
    assert image_record(sigmoid, [1, 2], [unknown], [1]).correct is None
