"""Tests that explain images again: what planted methods score, what is left out, and what a run keeps of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.evaluation.max_sensitivity import DRAWS, max_sensitivity, perturbed
from cnnvis_report.evaluation.similarity import map_similarities
from cnnvis_report.methods.registry import METHODS, method
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import Task, tasks_for
from cnnvis_report.models.model import Training
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.pipeline.stages.data_randomization import data_randomization_test
from cnnvis_report.pipeline.stages.explained_again import PredictedImage
from cnnvis_report.pipeline.stages.max_sensitivity import max_sensitivity_test
from cnnvis_report.pipeline.stages.random_logit import random_logit_test
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.records.metrics import MethodTest
from cnnvis_report.records.training import Score, TrainingRecord
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.networks import Tiny, seeded
from tests.pipeline.few_passes import FEW_PASSES

SETTINGS = BatchSettings(capacity=4, seed=3)
RECORD = TrainingRecord("d", {}, (), (), 1, "", Score(1.0, 0.0, 1), None)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Tape, Tensor], Tensor]], Task]]:
    """Makes a task of a function that gives maps [N, H, W]."""
    METHODS.entries()
    for name in ("_entries", "_modules"):
        monkeypatch.setattr(METHODS, name, dict(getattr(METHODS, name)))

    def planted(function: Callable[[Tape, Tensor], Tensor]) -> Task:
        method(title="P", family="f", source="no source", sign=Sign.SIGNED, kind=Kind.AREA)(function)
        return tasks_for(select([function.__name__]), [], {})[0]

    yield planted


def subject_of(seed: int, classes: int = 5, task: str = "auto") -> Subject:
    example = torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    return Subject(seeded(Tiny(classes), seed).eval(), example, task=task)


@pytest.fixture
def subject() -> Subject:
    return subject_of(0)


@pytest.fixture
def images(subject: Subject) -> list[PredictedImage]:
    drawn = torch.randn(3, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    return [PredictedImage(values, int(subject.forward(values[None])[0].argmax())) for values in drawn]


def values_of(tests: tuple[MethodTest, ...], method: str) -> dict[str, tuple[float, ...]]:
    return {test.name: test.values for test in tests if test.method == method}


def edges(tape: Tape, targets: Tensor) -> Tensor:
    """Sees the image alone.

    Horizontal differences.
    """
    return tape.images.diff(dim=3).abs().sum(1)


def of_class(tape: Tape, targets: Tensor) -> Tensor:
    """Sees the class alone.

    A pattern of its own for each class.
    """
    rows = [torch.randn(24, 24, generator=torch.Generator().manual_seed(int(target))) for target in targets]
    return torch.stack(rows)


def level(tape: Tape, targets: Tensor) -> Tensor:
    """Sees nothing.

    One value everywhere.
    """
    return torch.ones(len(targets), 24, 24)


def test_random_logit(
    subject: Subject, images: list[PredictedImage], plant: Callable[[Callable[[Tape, Tensor], Tensor]], Task]
) -> None:
    tasks = [plant(edges), plant(of_class), plant(level), *tasks_for(select(["gradient"]), [], {})]
    tests = random_logit_test(subject, images, tasks, SETTINGS)
    assert values_of(tests, "edges") == {f"random_logit_{name}": (1, 1, 1) for name in ("spearman", "absolute", "ssim")}
    assert all(abs(value) < 0.2 for values in values_of(tests, "of_class").values() for value in values)
    assert not values_of(tests, "level"), "a map of one value is like nothing"
    maps = [
        explain_batch(subject, images[0].values[None], tasks, torch.tensor([[images[0].predicted, other]]), SETTINGS)
        for other in range(5)
        if other != images[0].predicted
    ]
    shown = [tasks[3].method.info.shown(m.numpy()) for e in maps for m in e.results[3][0].maps[0]]  # type: ignore[index]
    expected = [map_similarities(*pair) for pair in zip(shown[::2], shown[1::2], strict=True)]
    found = {name.removeprefix("random_logit_"): row[0] for name, row in values_of(tests, "gradient").items()}
    assert any(found == pytest.approx(of_other, abs=1e-4) for of_other in expected)


def test_max_sensitivity(
    subject: Subject, images: list[PredictedImage], plant: Callable[[Callable[[Tape, Tensor], Tensor]], Task]
) -> None:
    tasks = [plant(of_class), plant(level), *tasks_for(select(["gradient", "random"]), [], {})]
    tests = max_sensitivity_test(subject, images, tasks, SETTINGS)
    assert values_of(tests, "of_class") == values_of(tests, "level") == {"max_sensitivity": (0, 0, 0)}
    image = images[1]
    near = perturbed(image.values, torch.ones(3, 1, 1), noise_generator(image.values, 3))
    shown = []
    for values in torch.cat([image.values[None], near]):
        inputs = values[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(subject.network(inputs)[0, image.predicted], inputs)
        shown.append(np.asarray(gradient[0].sum(0).numpy()))
    assert len(shown) == DRAWS + 1
    found = values_of(tests, "gradient")["max_sensitivity"][1]
    assert found == pytest.approx(max_sensitivity(shown[0], shown[1:]), abs=1e-4) and found > 0


def test_the_radius_is_that_of_the_pixels(images: list[PredictedImage]) -> None:
    tasks, subject = tasks_for(select(["gradient"]), [], {}), subject_of(0)
    (wide,) = max_sensitivity_test(subject, images, tasks, SETTINGS)
    # a smaller standard deviation makes the same change of a pixel larger
    subject.preprocessing = replace(subject.preprocessing, std=(0.05,) * 3)
    (far,) = max_sensitivity_test(subject, images, tasks, SETTINGS)
    assert all(more > less for more, less in zip(far.values, wide.values, strict=True))


def test_data_randomization(
    subject: Subject, images: list[PredictedImage], plant: Callable[[Callable[[Tape, Tensor], Tensor]], Task]
) -> None:
    tasks = [plant(edges), *tasks_for(select(["gradient"]), [], {})]
    twin = subject_of(7)
    tests = data_randomization_test(subject, images, tasks, SETTINGS, Training(RECORD, permuted=twin.network))
    assert all(values == (1, 1, 1) for values in values_of(tests, "edges").values()), "an edge detector learned nothing"
    shown = [
        tasks[1].method.info.shown(
            explain_batch(each, images[0].values[None], tasks[1:], torch.tensor([[images[0].predicted]]), SETTINGS)
            .results[0][0]
            .maps[0, 0]  # type: ignore[index]
            .numpy()
        )
        for each in (subject, twin)
    ]
    found = {name.removeprefix("data_randomization_"): row[0] for name, row in values_of(tests, "gradient").items()}
    assert found == pytest.approx(map_similarities(*shown), abs=1e-4)


@pytest.mark.parametrize(
    ("training", "said"),
    [(None, "cnnvis-report train"), (Training(RECORD), "--data-randomization")],
    ids=["not", "none"],
)
def test_without_a_network_of_permuted_labels_there_is_none(
    training: Training | None, said: str, subject: Subject, images: list[PredictedImage]
) -> None:
    with pytest.raises(NotApplicable, match=said):
        data_randomization_test(subject, images, [], SETTINGS, training)


def test_a_network_of_one_output_has_no_other_class(images: list[PredictedImage]) -> None:
    with pytest.raises(NotApplicable, match="single output"):
        random_logit_test(subject_of(0, classes=1, task="regression"), images, [], SETTINGS)


def test_a_run_keeps_them_with_the_full_budget_alone(
    tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (BUDGETS["quick"].tested, BUDGETS["full"].tested) == (0, 8)
    monkeypatch.setitem(BUDGETS, "full", FEW_PASSES)
    words = (
        "run",
        "tests.factories:tiny",
        drawn,
        "-o",
        tmp_path / "r",
        "-m",
        "gradient,grad_cam,random",
        "--limit",
        "2",
    )
    command(*words, "--metrics", "full", "-q")
    record = load_run(tmp_path / "r").record
    assert record.evaluation is not None
    tests = [test for test in record.evaluation.tests if not test.name.startswith("randomization")]
    infos = {info.name for info in record.evaluation.tests_info}
    assert {test.name for test in tests} == {name for name in infos if name != "randomization"}
    assert {test.method for test in tests} == {"gradient", "grad_cam"}, "random maps aren't tested"
    assert all(len(test.values) <= 2 and np.isfinite(test.values).all() for test in tests)
    assert [name for name, _ in record.stages_not_applicable] == ["data randomization test"]
