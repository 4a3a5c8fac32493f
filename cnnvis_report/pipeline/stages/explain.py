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
from cnnvis_report.methods.tasks import Task, TaskResult
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch, open_batch
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.rejected_images import NOT_FINITE, in_one_line
from cnnvis_report.pipeline.results import Result, results_of
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.evaluation import Measuring
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import Skipped

if TYPE_CHECKING:
    from cnnvis_report.pipeline.execute import RunStats


class Explaining:
    """Explains the batches of one run.

    Images that the network fails on, or gives no finite scores for, are skipped, and the others go on: a batch with
    such an image is halved until it is alone, so that one costs few passes and many cost two each.
    """

    def __init__(self, study: Study, plan: Plan, tally: "RunStats", progress: Progress) -> None:
        self._study, self._plan, self._tally, self._progress = study, plan, tally, progress
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
        self._progress.warn(f"Out of device memory with {count} images at a time; going on with {count // 2}.")

    def _seen(self, batch: Batch) -> tuple[Tape, Tensor]:
        """The pass over a batch, and its logits on the CPU.

        Raises:
            BadRequest: the network doesn't take one of the images.
        """
        study = self._study
        images = batch.images.to(study.device)
        with in_one_line(study.subject, images):
            tape = open_batch(study.subject, images, self._settings(len(batch.ready)))
        return tape, tape.logits.float().cpu()

    def _explained(self, batch: Batch, tape: Tape, logits: Tensor) -> list[Result]:
        study, plan, tally = self._study, self._plan, self._tally
        meaning = study.subject.meaning
        rows = zip(logits, batch.ready, strict=True)
        chosen = [study.choice.choose(row, each.item.labels, meaning) for row, each in rows]
        targets = _rectangle(chosen, logits).to(study.device)
        shares = iter(plan.shares[:-1])

        def told(results: Sequence[TaskResult]) -> None:
            for failed in [result for result in results if result.error is not None][:1]:
                self._progress.warn(f"{failed.task.name} failed: {failed.reason}.", failed.error)
            self._progress.step(results[0].task.name, len(batch.ready) * next(shares))

        explained = explain_batch(
            study.subject,
            tape.images,
            plan.dry_run.tasks,
            targets,
            self._settings(len(batch.ready)),
            tape=tape,
            failing=self._hopeless,
            on_result=told,
        )
        tally.computed += len(batch.ready)
        tally.passes.merge(tape.costs.clock.times())
        results = results_of(study.subject, batch, logits, chosen, explained.results, tape.costs)
        return self._measured(batch, results)

    def _settings(self, images: int) -> BatchSettings:
        study, plan = self._study, self._plan
        return BatchSettings(plan.dry_run, min(plan.batch, images), study.reference, study.seed, plan.reduced)

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
                    self._progress.warn(f"{ready.item.name}: its maps couldn't be measured ({error}).", error)
                self._tally.measuring += time.perf_counter() - start
            found.append(result)
            self._progress.step("measures", plan.shares[-1])
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
