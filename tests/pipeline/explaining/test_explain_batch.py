"""One way to explain a batch: what it gives is what the methods give on a tape, and one bad image costs one image."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import Task, TaskResult, dry_run_tasks, tasks_for
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch, open_batch
from cnnvis_report.records.methods import Kind, Sign
from tests.networks import Tiny, seeded

NAMES = ["gradient", "grad_cam", "occlusion", "pattern_net"]


@pytest.fixture
def subject() -> Subject:
    return Subject(seeded(Tiny(5)).eval(), torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 3, 24, 24, generator=torch.Generator().manual_seed(2))


def planned(subject: Subject, tasks: Any, targets: Any) -> Any:
    return dry_run_tasks(tasks, DryRunTape(subject, subject.take_first_pass(), capacity=3), targets)


@pytest.mark.parametrize("dry", [False, True], ids=["captured-when-asked", "planned"])
def test_maps_are_those_of_each_method_on_a_tape(subject: Subject, images: torch.Tensor, dry: bool) -> None:
    tasks = tasks_for(select(NAMES), [], {})
    targets = torch.tensor([[0, 1], [2, 3], [4, 0]])
    settings = BatchSettings(planned(subject, tasks, targets[:1]) if dry else None, seed=7)
    explained = explain_batch(subject, images, tasks, targets, settings)
    for task, (result,) in zip(tasks, explained.results, strict=True):
        expected = task.run(Tape(subject, images, seed=7), targets)
        assert result.maps is not None
        assert result.task is task and torch.equal(result.maps, expected.float()), task.name
    assert torch.equal(explained.logits, Tape(subject, images).logits)


@pytest.mark.parametrize(("dry", "forward", "backward"), [(False, 2, 2), (True, 1, 1)], ids=["unplanned", "planned"])
def test_a_dry_run_saves_passes(subject: Subject, images: torch.Tensor, dry: bool, forward: int, backward: int) -> None:
    tasks, targets = tasks_for(select(["gradient", "grad_cam"]), [], {}), torch.tensor([[0], [2], [4]])
    settings = BatchSettings(planned(subject, tasks, targets[:1]) if dry else None)
    passes = []
    subject.network.register_forward_hook(lambda *_: passes.append(1))
    explained = explain_batch(subject, images, tasks, targets, settings)
    shared = {key for (result,) in explained.results for key in result.account.shared if isinstance(key, tuple)}
    assert (len(passes), len(shared)) == (forward, backward)


def test_without_targets_the_predicted_class_is_explained(subject: Subject, images: torch.Tensor) -> None:
    tasks = tasks_for(select(["gradient"]), [], {})
    ((predicted,),) = explain_batch(subject, images, tasks, None, BatchSettings()).results
    targets = Tape(subject, images).logits.argmax(dim=1, keepdim=True)
    ((named,),) = explain_batch(subject, images, tasks, targets, BatchSettings()).results
    assert predicted.maps is not None and named.maps is not None
    assert torch.equal(predicted.maps, named.maps)


def test_a_pass_that_was_made_is_not_made_again(subject: Subject, images: torch.Tensor) -> None:
    tape = open_batch(subject, images, BatchSettings())
    passes = []
    subject.network.register_forward_hook(lambda *_: passes.append(1))
    explain_batch(subject, images, tasks_for(select(["gradient"]), [], {}), None, BatchSettings(), tape=tape)
    assert not passes


@pytest.fixture
def picky() -> None:
    """A method that fails on batches with an image whose first pixel is above `most`."""

    @method(title="P", family="f", source="no source", sign=Sign.POSITIVE, kind=Kind.PIXEL)
    def picky(tape: Any, targets: Any, *, most: float = 0.0) -> Any:
        """It fails on some images."""
        if bool((tape.images[:, 0, 0, 0] > most).any()):
            raise ValueError("an image that it doesn't take")
        return tape.images.abs()


@pytest.mark.parametrize(
    ("pixels", "failing", "there"),
    [
        ([-1.0, 1.0, -1.0], 0, [True, False, True]),
        ([1.0, 1.0, 1.0], 1, [False]),
        ([-1.0, -1.0, -1.0], 0, [True]),
    ],
    ids=["one-image", "every-image", "none"],
)
def test_a_method_that_fails_on_one_image_keeps_the_others(
    picky: Any, subject: Subject, images: torch.Tensor, pixels: list[float], failing: int, there: list[bool]
) -> None:
    images[:, 0, 0, 0] = torch.tensor(pixels)
    known: list[Task] = []
    tasks = tasks_for(select(["picky"]), [], {})
    (results,) = explain_batch(subject, images, tasks, None, BatchSettings(), failing=known).results
    assert [result.maps is not None for result in results] == there and len(known) == failing
    for row, result in enumerate(results if len(results) == 3 else ()):
        assert result.maps is None or torch.equal(result.maps[0, 0], images[row].abs())


def test_maps_stay_as_the_method_gave_them_on_request(images: torch.Tensor) -> None:
    double = images.double()
    subject = Subject(seeded(Tiny(5)).eval().double(), double[:1])
    tasks = tasks_for(select(["gradient"]), [], {})
    reported: list[Sequence[TaskResult]] = []
    ((unmoved,),) = explain_batch(
        subject, double, tasks, None, BatchSettings(), to_cpu=False, on_result=reported.append
    ).results
    ((moved,),) = explain_batch(subject, double, tasks, None, BatchSettings()).results
    assert unmoved.maps is not None and unmoved.maps.dtype == torch.float64
    assert moved.maps is not None and moved.maps.dtype == torch.float32
    assert reported == [[unmoved]]
