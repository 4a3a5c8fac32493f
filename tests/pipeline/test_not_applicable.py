"""A stage that fails is recorded with its reason, and the others go on."""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from cnnvis_report.errors import NotApplicable, WentAway
from cnnvis_report.pipeline.not_applicable import Stages, all_of
from cnnvis_report.progress import Progress


class Warnings(Progress):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str, error: Exception | None = None) -> None:
        self.warnings.append(message)


def failing(error: BaseException) -> Callable[[], Any]:
    def stage() -> None:
        raise error

    return stage


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("odd"), "ValueError: odd"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory"),
    ],
    ids=["a-fault", "memory"],
)
def test_a_stage_that_fails_is_recorded_and_the_next_one_runs(error: Exception, reason: str) -> None:
    progress = Warnings()
    stages = Stages(progress)
    assert stages.run("first stage", failing(error), 1) == 1 and stages.run("second stage", lambda: 2, 0) == 2
    assert stages.not_applicable == [("first stage", reason)]
    assert progress.warnings == [f"The first stage failed and is left out: {reason}."]


def test_a_stage_that_is_not_applicable_is_recorded_without_a_warning() -> None:
    progress = Warnings()
    stages = Stages(progress)
    assert stages.run("stage", failing(NotApplicable("it has no layer.")), 1) == 1
    assert stages.not_applicable == [("stage", "it has no layer")] and not progress.warnings


@pytest.mark.parametrize(
    "error",
    [WentAway("gone"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()],
    ids=["folder-gone", "disk-full", "stopped"],
)
def test_what_can_be_made_up_for_ends_the_run(error: BaseException) -> None:
    stages = Stages(Progress())
    with pytest.raises(type(error)):
        stages.run("stage", failing(error), None)
    assert stages.not_applicable == []


def test_views_that_were_made_before_one_fails_are_kept() -> None:
    def views() -> Iterator[Any]:
        yield 1
        raise ValueError("odd")

    reasons: list[tuple[str, str]] = []
    assert all_of("views", views, reasons) == (1,) and reasons == [("views", "ValueError: odd")]
    with pytest.raises(MemoryError):
        all_of("views", failing(MemoryError()), reasons)
