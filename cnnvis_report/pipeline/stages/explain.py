"""The results of a batch: whole, in parts where an image or the memory asks for that, or without the bad images."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, DecodedImage
from cnnvis_report.engine.devices import is_out_of_memory, too_large
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.methods.tasks import Task, TaskResult, run_tasks
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.rejected_images import NOT_FINITE, in_one_line
from cnnvis_report.pipeline.results import Result, results_of
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.evaluation import Measuring
from cnnvis_report.records.run import Skipped

if TYPE_CHECKING:
    from cnnvis_report.pipeline.execute import RunProgress, RunStats


class Explaining:
    """Explains the batches of one run.

    Images that the network fails on, or gives no finite scores for, are skipped, and the others go on: a batch with
    such an image is halved until it is alone, so that one costs few passes and many cost two each.
    """

    def __init__(self, study: Study, plan: Plan, tally: "RunStats", watcher: "RunProgress") -> None:
        self._study, self._plan, self._tally, self._watcher = study, plan, tally, watcher
        self._hopeless: list[Task] = []  # they have failed on each image of a batch by itself

    def of(self, batch: Batch) -> Iterator[Result]:
        """The results of those of a batch that have any, in order.

        Raises:
            RunFailed: a single image doesn't fit into memory.
        """
        ready = batch.ready
        if len(ready) > 1 and self._study.subject.one_by_one:  # which showed after the plan was made
            yield from self._each(ready)
            return
        try:
            tape, logits = self._seen(batch)
            finite = logits.isfinite().all(dim=1).tolist()
            alone = all(finite) and self._differs(batch, tape)
            results = self._explained(batch, tape, logits) if all(finite) and not alone else []
        except BadRequest as error:
            if len(ready) == 1:
                self._skip(ready[0], str(error))
                return
            parts = _halves(ready)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(ready) == 1:
                raise too_large(ready[0].item.name) from error
            self._make_room(len(ready))
            parts = _halves(ready)
        else:
            yield from results
            if alone:
                del tape  # the graph of a whole batch
                yield from self._each(ready)
            parts = [] if all(finite) else self._apart(ready, finite)
        for part in parts:
            if part:
                yield from self.of(Batch(part))

    def _each(self, ready: Sequence[DecodedImage]) -> Iterator[Result]:
        for each in ready:
            yield from self.of(Batch((each,)))

    def _differs(self, batch: Batch, tape: Tape) -> bool:
        """Whether the batch shows that images matter to each other."""
        witness, ids = self._study.witness, [each.item.id for each in batch.ready]
        return witness is not None and witness.saw(ids, tape.images, tape.logits)

    def _apart(self, ready: Sequence[DecodedImage], finite: Sequence[bool]) -> list[tuple[DecodedImage, ...]]:
        """Images with finite scores together, each of the others alone: another one may have spoiled the batch.

        One that was alone is skipped.
        """
        if len(ready) == 1:
            self._skip(ready[0], f"{self._study.subject.name} {NOT_FINITE}")
            return []
        rows = list(zip(ready, finite, strict=True))
        return [tuple(each for each, fine in rows if fine), *((each,) for each, fine in rows if not fine)]

    def _skip(self, ready: DecodedImage, reason: str) -> None:
        self._tally.skipped.append(Skipped(ready.item.name, reason.rstrip("."), ready.item.fingerprint))

    def _make_room(self, count: int) -> None:
        if self._study.device.type == "cuda":
            torch.cuda.empty_cache()
        self._watcher.trouble(f"Out of device memory with {count} images at a time; going on with {count // 2}.")

    def _seen(self, batch: Batch) -> tuple[Tape, Tensor]:
        """The pass over a batch, and its logits on the CPU.

        Raises:
            BadRequest: the network doesn't take one of the images.
        """
        study, dry_run = self._study, self._plan.dry_run
        images = batch.images.to(study.device)
        with in_one_line(study.subject, images):
            tape = Tape(
                study.subject,
                images,
                layers=dry_run.layers,
                reads=dry_run.reads,
                layer_inputs=dry_run.layer_inputs,
                capacity=min(self._plan.batch, len(batch.ready)),
                reference=study.reference,
                seed=study.seed,
            )
        return tape, tape.logits.float().cpu()

    def _explained(self, batch: Batch, tape: Tape, logits: Tensor) -> list[Result]:
        study, plan, tally = self._study, self._plan, self._tally
        meaning = study.subject.meaning
        rows = zip(logits, batch.ready, strict=True)
        chosen = [study.choice.choose(row, each.item.labels, meaning) for row, each in rows]
        outcomes = []
        targets = _rectangle(chosen, logits).to(study.device)
        performed = run_tasks(plan.dry_run.tasks, tape, targets, plan.reduced)
        for outcome, share in zip(performed, plan.shares[:-1], strict=True):
            parts = self._singly(outcome, tape, targets)
            for error in [part for part in parts if part.error is not None][:1]:
                self._watcher.trouble(f"{error.task.name} failed: {error.reason}.", error.error)
            outcomes.append([part.moved() for part in parts])
            self._watcher.task_done(outcome.task.name, len(batch.ready), share)
        tape.costs.wait()
        tally.computed += len(batch.ready)
        tally.passes.merge(tape.costs.clock.times())
        results = results_of(study.subject, batch, logits, chosen, outcomes, tape.costs)
        return self._measured(batch, results)

    def _singly(self, outcome: TaskResult, tape: Tape, targets: Tensor) -> list[TaskResult]:
        """The outcome of a batch, or, where the task has failed, those of its images: it may be one that fails."""
        task = outcome.task
        if outcome.error is None or len(targets) == 1 or task in self._hopeless:
            return [outcome]
        found: list[TaskResult] = []
        for place in range(len(targets)):
            alone = tape.replay(tape.images[place : place + 1])
            found += run_tasks([task], alone, targets[place : place + 1], self._plan.reduced)
        if all(each.maps is None for each in found):
            self._hopeless.append(task)
            return [outcome]
        return found

    def _measured(self, batch: Batch, results: Sequence[Result]) -> list[Result]:
        """The results, with what their maps are worth where that is wanted."""
        study, plan = self._study, self._plan
        if study.budget is None:
            return list(results)
        cards = {task.name: task.method.info for task in study.tasks}
        capacity = 1 if study.subject.one_by_one else plan.batch
        measuring = Measuring(study.subject, study.budget, cards, capacity, study.seed)
        found = []
        for result, ready in zip(results, batch.ready, strict=True):
            if ready.item.id in plan.measured:
                start = time.perf_counter()
                try:
                    result = measuring.of(result, ready, ready.picture.values.to(study.device))
                except Exception as error:  # the maps are there, and worth keeping without it
                    if is_out_of_memory(error):
                        raise
                    self._watcher.trouble(f"{ready.item.name}: its maps couldn't be measured ({error}).", error)
                self._tally.measuring += time.perf_counter() - start
            found.append(result)
            self._watcher.task_done("measures", 1, plan.shares[-1])
        return found


def none_left(study: Study, skipped: Sequence[Skipped]) -> RunFailed:
    """The end of a run without a single result."""
    count = f"None of the {len(study.images)} images" if len(study.images) > 1 else "The image"
    verb = "could" if len(study.images) > 1 else "couldn't"
    first = f" {skipped[0].name}: {skipped[0].reason}." if skipped else ""
    return RunFailed(f"{count} {verb} be explained.{first}")


def _halves(ready: tuple[DecodedImage, ...]) -> list[tuple[DecodedImage, ...]]:
    middle = len(ready) // 2
    return [ready[:middle], ready[middle:]]


def _rectangle(chosen: Sequence[Sequence[int]], logits: Tensor) -> Tensor:
    """[N, K] targets; an image with fewer classes than others has its first again, which nobody reads."""
    rows = [list(classes) or [int(row.argmax())] for classes, row in zip(chosen, logits, strict=True)]
    most = max(map(len, rows))
    return torch.tensor([row + row[:1] * (most - len(row)) for row in rows])
