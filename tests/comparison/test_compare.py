"""Runs of planted predictions and maps: what is said to have changed is what was planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.evidence.paired import accuracy_difference, mcnemar
from cnnvis_report.records.compared_images import Flip, TargetSource
from cnnvis_report.records.comparison import Comparison
from tests.comparison.runs import SIZE, Planted, Values, layer_method, planted_run
from tests.evaluation.replicas import drawn_map
from tests.evidence.records import info

RAMP: Values = np.arange(16, dtype=np.float32).reshape(4, 4)


def pair(tmp_path: Path, old: list[Planted], new: list[Planted]) -> Comparison:
    return compare_runs([planted_run(tmp_path / "old", old), planted_run(tmp_path / "new", new)])


def cam(values: Values, target: int = 0, layer: str = "") -> dict[tuple[str, str, int], Values]:
    return {("cam", layer, target): values}


def test_flips_are_counted_by_image_and_by_class(tmp_path: Path) -> None:
    outcomes = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 2), (0, 0), (0, 2)]  # predictions in both, of the label 0
    images = [[Planted(f"{n}.png", pair[run], 0) for n, pair in enumerate(outcomes)] for run in (0, 1)]
    images[0] += [Planted("dog.png", 1, 1), Planted("unlabeled.png", 1, None)]
    images[1] += [Planted("dog.png", 0, 1), Planted("unlabeled.png", 2, None)]
    comparison = pair(tmp_path, *images)
    right, fixed, broken, wrong = Flip.RIGHT, Flip.FIXED, Flip.BROKEN, Flip.WRONG
    flips = [image.flips for image in comparison.images]
    assert flips == [(flip,) for flip in (right, broken, fixed, fixed, wrong, right, broken, broken, Flip.CHANGED)]
    (paired,) = comparison.paired
    assert (paired.images, paired.fixed, paired.broken, paired.changed) == (8, 2, 3, 7)
    assert paired.difference == accuracy_difference(2, 3, 8) and paired.p_value == mcnemar(2, 3)
    accuracies = [run.accuracy.mean for run in comparison.runs if run.accuracy]
    assert accuracies == [5 / 8, 4 / 8] and accuracies[1] - accuracies[0] == paired.difference.mean
    rows = {row.name: (row.images, row.correct, row.fixed, row.broken) for row in comparison.classes}
    assert rows == {"cat": (7, (4, 4), (2,), (2,)), "dog": (1, (1, 0), (0,), (1,))}


def test_calibration_and_brier_score_by_hand(tmp_path: Path) -> None:
    old = [Planted("a.png", 0, 0, 0.75), Planted("b.png", 1, 0, 0.75)]
    first, later = pair(tmp_path, old, [replace(image, predicted=0, probability=1.0) for image in old]).runs
    assert (first.calibration_error, first.brier_score) == pytest.approx((0.25, (0.25**2 + 0.75**2) / 2))
    assert (later.calibration_error, later.brier_score) == (0, 0)


def test_images_are_matched_by_content_then_by_name(tmp_path: Path) -> None:
    old = [Planted("a.png", content="1"), Planted("b.png", content="2"), Planted("c.png", content="3")]
    old += [Planted("twin-1.png", content="4"), Planted("twin-2.png", content="4"), Planted("gone.png", content="5")]
    new = [Planted("twin-2.png", content="4"), Planted("moved/b.png", content="2"), Planted("c.png", content="other")]
    new += [Planted("twin-1.png", content="4"), Planted("added.png", content="6"), Planted("b.png", content="1")]
    comparison = pair(tmp_path, old, new)
    matched = {image.name: image.ids[1] for image in comparison.images}
    ids = {"a.png": "image-5", "b.png": "image-1", "c.png": "image-2", "twin-1.png": "image-3", "twin-2.png": "image-0"}
    assert matched == ids and [image.id for image in comparison.images] == [f"image-{number}" for number in range(5)]
    assert [(entry.run, entry.names) for entry in comparison.only["images"]] == [
        (0, ("gone.png",)),
        (1, ("added.png",)),
    ]
    assert any("1 image is matched by name alone" in notice for notice in comparison.notices)
    assert "1 image of old isn't in every run: gone.png." in comparison.notices


def test_maps_of_one_class_are_compared(tmp_path: Path) -> None:
    """The label where both explain it, then the first prediction; else each one's own, which is said."""
    both = {**cam(RAMP, 0), **cam(-RAMP, 1)}
    old = [Planted("label.png", 1, 0, maps=both), Planted("first.png", 1, 2, maps=both | cam(RAMP, 2))]
    new = [Planted("label.png", 0, 0, maps=both), Planted("first.png", 0, 2, maps=both)]
    old.append(Planted("own.png", 1, None, maps=cam(RAMP, 1)))
    new.append(Planted("own.png", 0, None, maps=cam(-RAMP, 0)))
    comparison = pair(tmp_path, old, new)
    choices = [(image.target_source, image.targets) for image in comparison.images]
    assert choices == [
        (TargetSource.LABEL, ("cat", "cat")),
        (TargetSource.FIRST_PREDICTION, ("dog", "dog")),
        (TargetSource.OWN_PREDICTIONS, ("dog", "cat")),
    ]
    assert [image.keys["cam"] for image in comparison.images][1] == ("cam/1", "cam/1")
    assert [image.moved["cam"] for image in comparison.images] == [(0,), (0,), (2,)]
    assert any("On 1 image no class is explained in every run" in notice for notice in comparison.notices)


def test_movement_is_the_median_over_methods_that_explain(tmp_path: Path) -> None:
    def maps(*signs: int) -> dict[tuple[str, str, int], Values]:
        names = ("cam", "lrp", "saliency", "random")
        return {(name, "", 0): sign * RAMP for name, sign in zip(names, signs, strict=True)}

    old = [Planted(f"{number}.png", maps=maps(1, 1, 1, 1)) for number in range(7)]
    new = [Planted(f"{number}.png", maps=maps(1, 1, -1 if number else 1, -1)) for number in range(7)]
    comparison = pair(tmp_path, old, new)
    assert [image.movement for image in comparison.images] == [(0,)] * 7
    (median,) = comparison.method("saliency").moved
    assert median is not None and (median.median, median.low, median.high, median.images) == (2, 0, 2, 7)
    assert comparison.movement[0] is not None and comparison.movement[0].median == 0


def test_attention_that_left_the_mask_is_said(tmp_path: Path) -> None:
    mask = np.zeros(SIZE, bool)
    mask[:, 8:] = True
    on, off = mask.astype(np.float32), (~mask).astype(np.float32)
    old = [Planted(f"{number}.png", maps=cam(on + np.float32(0.1) * off), mask=mask) for number in range(12)]
    new = [Planted(f"{number}.png", maps=cam(off + on * np.float32(number / 100)), mask=mask) for number in range(12)]
    comparison = pair(tmp_path, old, new)
    method = comparison.method("cam")
    first, later = method.mask_energy
    (difference,) = method.mask_energy_difference
    assert first is not None and later is not None and difference is not None and difference.high is not None
    shares = [number / (100 + number) for number in range(12)]
    assert (first.mean, later.mean) == pytest.approx((10 / 11, np.mean(shares)))
    assert difference.mean == pytest.approx(later.mean - first.mean) and difference.high < 0
    texts = {finding.topic: finding.text for finding in comparison.findings}
    assert texts["Relevance in the mask"].startswith("90.9% → 5.1% of the positive relevance of Cam lies in")
    assert "it falls for 1, rises for 0 of 1 method" in texts["Relevance in the mask"]
    assert texts["Accuracy"].startswith("100% → 100%: 0 points [") and "McNemar p = 1.000, n = 12" in texts["Accuracy"]
    assert "Maps moved by 2.00" in texts["Attention"]


def test_layers_of_other_names_are_compared_and_said(tmp_path: Path) -> None:
    runs = [
        planted_run(tmp_path / name, [Planted("a.png", maps=cam(RAMP, layer=layer))], methods=[layer_method("cam")])
        for name, layer in (("old", "layer4"), ("new", "features.12"))
    ]
    comparison = compare_runs(runs)
    assert comparison.method("cam").layers == ("layer4", "features.12")
    assert any(
        notice.startswith("Cam is read at layer4 in old and features.12 in new") for notice in comparison.notices
    )
    assert [entry.names for entry in comparison.only["layers"]] == [("layer4",), ("features.12",)]


def test_of_several_layers_those_of_all_runs_are_compared(tmp_path: Path) -> None:
    def maps(*layers: str) -> dict[tuple[str, str, int], Values]:
        return {("cam", layer, 0): RAMP for layer in layers} | {("lrp", "", 0): RAMP}

    old = [Planted("a.png", maps=maps("early", "middle", "late"))]
    comparison = pair(tmp_path, old, [Planted("a.png", maps=maps("late", "early", "other"))])
    assert [method.key for method in comparison.methods] == ["cam@early", "cam@late", "lrp"]


def test_methods_of_one_run_are_said(tmp_path: Path) -> None:
    extra = {("lrp", "", 0): RAMP}
    comparison = pair(tmp_path, [Planted("a.png", maps=cam(RAMP) | extra)], [Planted("a.png", maps=cam(RAMP))])
    assert "1 method of old isn't in every run: Lrp." in comparison.notices
    assert [method.key for method in comparison.methods] == ["cam"]


def test_other_options_of_a_method_are_said(tmp_path: Path) -> None:
    runs = [
        planted_run(tmp_path / name, [Planted("a.png", maps=cam(RAMP))], methods=[info("cam", options={"n": n})])
        for name, n in (("old", 5), ("new", 50))
    ]
    assert "Cam has n = 5 in old and 50 in new, which moves its maps too." in compare_runs(runs).notices


def test_six_runs_are_compared_with_the_first(tmp_path: Path) -> None:
    runs = [
        planted_run(
            tmp_path / str(number) / "run", [Planted("a.png", number % 2, 0, maps=cam(drawn_map(4, 4) + number))]
        )
        for number in range(6)
    ]
    comparison = compare_runs(runs)
    assert [run.name for run in comparison.runs] == ["run", *(f"run ({number})" for number in range(2, 7))]
    broken, right = Flip.BROKEN, Flip.RIGHT
    assert comparison.images[0].flips == (broken, right, broken, right, broken)
    assert len(comparison.paired) == len(comparison.images[0].moved["cam"]) == 5


def test_the_order_of_images_may_differ(tmp_path: Path) -> None:
    old = [Planted(f"{number}.png", maps=cam(drawn_map(4, 4, seed=number))) for number in range(9)]
    comparison = pair(tmp_path, old, old[::-1])
    assert [image.moved["cam"] for image in comparison.images] == [(0,)] * 9


def test_a_copy_of_a_run_is_said_to_be_the_same(tmp_path: Path) -> None:
    runs = [planted_run(tmp_path / name, [Planted("a.png")], fingerprint="ab") for name in ("old", "new")]
    assert "new and old are the same run" in compare_runs(runs).notices[0]
