"""Explain one batch of images: the only module above the engine that opens a tape and runs methods on it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.engine.cost import Costs
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.tasks import DryRun, Task, TaskResult, run_tasks

Results = list[TaskResult]


@dataclass(frozen=True)
class BatchSettings:
    """How batches go through the network.

    dry_run: what the tasks will read, so that each pass is made once and no deeper than needed; without it layers are
        captured, by a further pass, when a method first asks for them.
    capacity: the most images of one pass that a method makes by itself; as many as the batch has where None.
    reference: images that methods compare with or are fitted to; the batch's own where None.
    reduced: tasks whose forward passes are made in bfloat16.
    anchor: of the images as they are, where batches are perturbed versions, or of another network.
    """

    dry_run: DryRun | None = None
    capacity: int | None = None
    reference: Reference | None = None
    seed: int = 0
    reduced: Collection[Task] = ()
    anchor: Callable[[Tensor], Anchor] | None = None


@dataclass(frozen=True)
class BatchExplanation:
    """The maps of one batch.

    logits: [N, classes], on the network's device.
    results: for each task, in order, one result of the whole batch, or one of each image.
    """

    logits: Tensor
    results: list[Results]
    costs: Costs


def open_batch(subject: Subject, images: Tensor, settings: BatchSettings) -> Tape:
    """Make the forward pass over images [N, C, H, W] that all methods share."""
    known = settings.dry_run
    return Tape(
        subject,
        images,
        layers=known.layers if known else (),
        reads=known.reads if known else None,
        layer_inputs=known.layer_inputs if known else False,
        capacity=settings.capacity,
        reference=settings.reference,
        seed=settings.seed,
        anchor=settings.anchor(images) if settings.anchor else None,
    )


def explain_batch(
    subject: Subject,
    images: Tensor,
    tasks: Sequence[Task],
    targets: Tensor | None,
    settings: BatchSettings,
    *,
    tape: Tape | None = None,
    to_cpu: bool = True,
    failing: list[Task] | None = None,
    on_result: Callable[[Results], None] | None = None,
) -> BatchExplanation:
    """Run tasks on a batch; all share its forward pass, and backward passes where they can.

    Args:
        images: [N, C, H, W], normalized, on the network's device.
        targets: [N, K] class indices; None for the class with the highest score, or the
            largest region, of each image.
        tape: the forward pass over the images, where `open_batch` has made it already.
        to_cpu: whether maps are moved to the CPU, as float32; otherwise they stay as the methods gave them.
        failing: tasks known to fail on every image. Where it is given, a task that fails on the batch is tried on each
            image alone, and added to the list if it fails on all.
        on_result: called after each task with its results.

    Raises:
        RuntimeError, MemoryError: out of memory. A method's own error is in its result instead.
    """
    with subject.in_eval_mode():
        tape = tape or open_batch(subject, images, settings)
        if targets is None:
            targets = tape.ranking.argmax(dim=1, keepdim=True)
        results: list[Results] = []
        for result in run_tasks(tasks, tape, targets, settings.reduced):
            parts = [result] if failing is None else _per_image(result, tape, targets, settings, failing)
            results.append([part.moved() for part in parts] if to_cpu else parts)
            if on_result is not None:
                on_result(results[-1])
        tape.costs.wait()
        return BatchExplanation(tape.logits, results, tape.costs)


def _per_image(
    result: TaskResult, tape: Tape, targets: Tensor, settings: BatchSettings, failing: list[Task]
) -> list[TaskResult]:
    """The result of a batch, or those of its images where the task failed: only one of them may be the reason."""
    task = result.task
    if result.error is None or len(targets) == 1 or task in failing:
        return [result]
    parts: list[TaskResult] = []
    for row in range(len(targets)):
        alone = tape.replay(tape.images[row : row + 1], torch.tensor([row]))
        parts += run_tasks([task], alone, targets[row : row + 1], settings.reduced)
    if all(part.maps is None for part in parts):
        failing.append(task)
        return [result]
    return parts
