"""From maps to measures to what the pages say of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import no_grad

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.outputs.scores import Scores as Meaning
from cnnvis_report.evaluation.curve_measures import DELETION, GAIN, INSERTION, MEASURES
from cnnvis_report.evaluation.insertion_deletion import insertion_deletion
from cnnvis_report.evaluation.metric import MapsOfImage
from cnnvis_report.evidence.ranks import spearman
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline.planning.metrics_budget import (
    BUDGETS,
    BY_EFFORT,
    LOCALIZATION,
    choose_budget,
    measured_images,
)
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.narrow import present

TINY = ("run", "tests.factories:tiny")
FEW = ("--classes", "label", "--limit-order", "first", "-q")
METHODS = "gradient,input_x_gradient,guided_backprop,cam,lrp_epsilon,random"
FULL = ("-m", METHODS, "--metrics", "full", "--limit", "4", *FEW)
QUICK = ("-m", "gradient,cam,random", "--metrics", "quick", "--limit", "5", *FEW)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, drawn: Any) -> Any:
    folder = tmp_path_factory.mktemp("worth") / "r"
    command(*TINY, drawn, "-o", folder, *FULL)
    return folder


def test_sets_of_methods_are_measured_and_named_ones_on_request() -> None:
    for methods in (["standard"], ["all"]):
        assert choose_budget("auto", methods, "high") is BUDGETS["quick"]
        assert choose_budget("auto", methods, "medium") is BY_EFFORT["medium"]
    assert choose_budget("auto", ["grad_cam", "quick"], "max") is None and choose_budget("none", ["all"], "max") is None
    assert choose_budget("auto", ["grad_cam"], "low", masks=True) is LOCALIZATION
    assert choose_budget("full", ["grad_cam"], "low") is BUDGETS["full"], "what is asked for isn't cut"


def test_measured_images_are_spread_over_the_set() -> None:
    class ImageItem:
        def __init__(self, id: Any) -> None:
            self.id = id

    items: Any = [ImageItem(str(number)) for number in range(80)]
    assert measured_images(BUDGETS["quick"], items) == {str(number) for number in range(0, 80, 5)}
    assert len(measured_images(BUDGETS["full"], items)) == 80 and not measured_images(None, items)


def test_measures_are_those_of_the_stored_maps(full: Path) -> None:
    run = load_run(full)
    network = load_model("tests.factories:tiny", None).network.eval()
    known = Preprocessing((0.5,) * 3, (0.25,) * 3)
    budget = BUDGETS["full"]
    for image in run.images():
        arrays = load_arrays(full, image.id)
        normalized = (torch.from_numpy(arrays["picture"]).permute(2, 0, 1).float() / 255 - 0.5) / 0.25
        assert image.metrics is not None and len(image.metrics.maps) == len(image.maps)
        shown = {found.method: run.record.method(found.method).shown(arrays[found.key]) for found in image.maps}
        maps = MapsOfImage(
            maps=list(shown.values()),
            image=normalized,
            target=image.targets[0].index,
            logits=no_grad()(network),
            meaning=Meaning(ScoreKind.SOFTMAX, Quantity.LOGIT, ""),
            black=known.black(normalized[None]),
            mask=None,
            generator=torch.Generator,
            effort=budget.effort,
            capacity=8,
            seed=present(run.record.evaluation).seed,
        )
        expected = insertion_deletion(maps)
        assert len(expected) == len(MEASURES)
        for index, measures in enumerate(image.metrics.maps):
            assert measures.method == list(shown)[index]
            for name, scores in expected.items():
                value = scores.values[index]
                assert (name in measures.values) == (value is not None)
                if value is not None and not scores.blind:
                    assert measures.values[name] == pytest.approx(value, abs=2e-3), name
            assert {f"aopc_{name}" for name in ("zeros", "gaussian", "mean", "invert")} <= set(measures.values)
        assert set(expected) <= set(image.metrics.ranges)
        blind = {name: reason for name, reason in image.metrics.blind.items() if name in expected}
        assert blind == {name: scores.blind for name, scores in expected.items() if scores.blind}
        names = list(shown)
        row, column = names.index("gradient"), names.index("input_x_gradient")
        correlation = spearman(shown["gradient"], shown["input_x_gradient"])
        assert image.metrics.agreement[row][column] == pytest.approx(correlation, abs=1e-3)


def test_random_maps_are_pairs_of_mirrors_drawn_apart_from_the_method(full: Path) -> None:
    for image in load_run(full).images():
        assert image.metrics is not None
        own = next(scored for scored in image.metrics.maps if scored.method == "random")
        random = image.metrics.random
        assert set(random) >= {measure.name for measure in MEASURES}
        for measure in MEASURES:
            values = random[measure.name]
            assert len(values) == BUDGETS["full"].random_maps and own.values[measure.name] not in values
            firsts, mirrors = values[::2], values[1::2]
            if measure.kind == GAIN:
                assert mirrors == pytest.approx([-value for value in firsts]), "their mean is that of all random maps"
            elif measure.kind == INSERTION:
                assert mirrors == random[replace(measure, kind=DELETION).name][::2], "it is what the other one deletes"


def test_the_plan_counts_the_passes_of_measures() -> None:
    quick, full = BUDGETS["quick"], BUDGETS["full"]
    assert quick.passes(18) == (18 + 1) * 8 + 2, "eight a map and one pair of random maps, and the two ends"
    assert full.passes(18) >= 21 * 31 * 6 + 4 + 4 * (24 * 12 + 1)


def test_weights_that_were_drawn_anew_change_gradients_and_leave_nothing_behind(full: Any) -> None:
    evaluation = present(load_run(full).record.evaluation)
    assert evaluation.budget == "full" and evaluation.images == evaluation.randomization_images == 2
    assert (
        len(evaluation.randomized_fractions) == 3
        and evaluation.randomized_fractions[-1] == 1
        and list(evaluation.randomized_fractions) == sorted(evaluation.randomized_fractions)
    )
    found = {each.method: each for each in evaluation.randomization}
    assert "random" not in found and {"gradient", "guided_backprop", "cam", "lrp_epsilon"} <= set(found)
    assert abs(found["gradient"].spearman[-1]) < 0.5
    assert all(-1 <= value <= 1 for each in found.values() for value in (*each.spearman, *each.absolute, *each.ssim))
    by_image = {test.method: test.values for test in evaluation.tests if test.name == "randomization"}
    assert by_image.keys() == found.keys()
    for method, values in by_image.items():
        assert 1 <= len(values) <= 2, "images on which a map has a single value have none"
        assert np.mean(values) == pytest.approx(found[method].absolute[-1], abs=1e-4)


def test_a_stopped_run_measures_what_was_missing_and_ends_in_the_same_bytes(
    drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnnvis_report.pipeline.explaining.batch_explainer import BatchExplainer

    command(*TINY, drawn, "-o", tmp_path / "once", *QUICK)
    words = (*TINY, drawn, "-o", tmp_path / "r", *QUICK, "--batch-size", "1")
    plain, calls = BatchExplainer._open, []

    def stopping(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(*given)

    monkeypatch.setattr(BatchExplainer, "_open", stopping)
    command(*words, code=130)
    monkeypatch.setattr(BatchExplainer, "_open", plain)
    command(*words)
    once, again = (list(load_run(folder).images()) for folder in (tmp_path / "once", tmp_path / "r"))
    for one, other in zip(once, again, strict=True):
        for first, second in zip(present(one.metrics).maps, present(other.metrics).maps, strict=True):
            assert first.values == pytest.approx(second.values, abs=2e-3)


def test_the_pages_show_what_was_measured(full: Any) -> None:
    overview, methods = ((full / f"{name}.html").read_text("utf-8") for name in ("index", "methods"))
    assert overview.count("Which methods are faithful to this model?") == 1
    assert "Randomization test" in methods and "AOPC" in methods
    assert 'class="agreement"' in methods
    image = next(load_run(full).images())
    page = (full / "images" / f"{image.id}.html").read_text("utf-8")
    maps = present(image.metrics).maps
    assert page.count("<polyline") >= 4 * len(maps) - 2
    curve = maps[0].curves["insertion_blur"]
    assert json.loads(json.dumps(curve)) == list(curve)


def test_nothing_is_said_where_nothing_was_measured(drawn: Any, tmp_path: Path) -> None:
    command(*TINY, drawn, "-o", tmp_path / "r", "-m", "grad_cam,random", "-q")
    assert load_run(tmp_path / "r").record.evaluation is None
    assert "faithful" not in (tmp_path / "r" / "index.html").read_text("utf-8")


def test_a_network_that_cannot_be_copied_still_gets_its_report(drawn: Any, tmp_path: Path) -> None:
    words = ("run", "tests.factories:uncopyable", drawn, "-o", tmp_path / "r", "-m", "gradient,random", "-q")
    result = command(*words, "--metrics", "quick")
    assert "The randomization test failed and is left out: " in result.stderr
    run = load_run(tmp_path / "r")
    ((stage, reason),) = run.record.stages_not_applicable
    assert stage == "randomization test" and reason and reason in result.stderr
    assert present(run.record.evaluation).randomization == () and all(image.metrics for image in run.images())


def test_maps_that_cannot_be_measured_are_kept(drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnvis_report.pipeline.stages.evaluation.agreement", lambda maps: 1 / 0)
    words = (*TINY, drawn, "-o", tmp_path / "r", "-m", "gradient,random", "-c", "top:3", "-q", "--metrics", "quick")
    assert "couldn't be measured (division by zero)" in command(*words).stderr
    found = list(load_run(tmp_path / "r").images())
    assert all(image.metrics is None and len(image.maps) == 6 for image in found) and len(found) == 6
