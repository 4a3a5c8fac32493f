"""Stage: may methods that need forward passes only run in bfloat16? Compared with float32 on a sample of images."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

from torch import Tensor

from cnnvis_report.data.batches import sample
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evidence.ranks import spearman
from cnnvis_report.methods.tasks import Task, TaskResult
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.explaining.rejected_images import usable
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import Precision

HOLDS = 0.99  # the rank correlation from which on the ranking of the pixels is the same
FEW = 32  # in sets of fewer images one is a sample, and two otherwise


def bfloat16_check(
    subject: Subject,
    images: ImageSet,
    tasks: Sequence[Task],
    settings: BatchSettings,
    progress: Progress,
    *,
    forced: bool = False,
) -> tuple[Precision, ...]:
    """Compare the maps of each task in bfloat16 with those in float32, for the predicted class.

    Args:
        tasks: those that may run in bfloat16. settings: of the run's batches.
        forced: whether bfloat16 is used wherever it gives a map at all.

    Raises:
        RuntimeError, MemoryError: out of memory.
        RunFailed: the network takes none of the sample's images.
    """
    if not tasks:
        return ()
    capacity = settings.capacity or 1
    count = 1 if len(images) < FEW or capacity == 1 else 2
    device = subject.device
    inputs = usable(subject, sample(images, subject.preprocessing, count).to(device), capacity)
    plain = replace(settings, dry_run=None, reduced=())
    exact = _results(subject, inputs, tasks, plain, progress)
    reduced = _results(subject, inputs, tasks, replace(plain, reduced=tasks), progress)
    return tuple(_compared(*pair, forced=forced) for pair in zip(exact, reduced, strict=True))


def confirmed(tasks: Sequence[Task], precision: Sequence[Precision]) -> tuple[Task, ...]:
    """The tasks that keep their ranking of pixels in bfloat16."""
    used = {(entry.method, entry.layer) for entry in precision if entry.used}
    return tuple(task for task in tasks if (task.name, task.layer) in used)


def _results(
    subject: Subject, images: Tensor, tasks: Sequence[Task], settings: BatchSettings, progress: Progress
) -> list[TaskResult]:
    def report(results: Sequence[TaskResult]) -> None:
        progress.step(f"bfloat16 check: {results[0].task.name}")

    explained = explain_batch(subject, images, tasks, None, settings, on_result=report)
    return [result for (result,) in explained.results]


def _compared(exact: TaskResult, reduced: TaskResult, *, forced: bool) -> Precision:
    """The lowest rank correlation over the sample; a map without a ranking, as of a single value, doesn't hold."""
    task = exact.task
    if exact.maps is None or reduced.maps is None:
        return Precision(task.name, task.layer, None, 0, used=False, reason=exact.reason or reduced.reason)
    shown = task.method.info.shown
    correlations = [
        spearman(*(shown(maps[0].numpy()) for maps in pair)) for pair in zip(exact.maps, reduced.maps, strict=True)
    ]
    count = len(correlations)
    if any(map(isnan, correlations)):
        return Precision(task.name, task.layer, None, count, used=forced, reason="maps without a ranking of pixels")
    lowest = round(min(correlations), 5)
    return Precision(task.name, task.layer, lowest, count, used=forced or lowest >= HOLDS)
