"""Explain a batch as a whole, in parts where memory or an image asks for that, and without images that fail."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, DecodedImage
from cnnvis_report.engine.devices import is_out_of_memory, too_large
from cnnvis_report.engine.outputs.boxes import Boxes
from cnnvis_report.engine.outputs.regions import Regions
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.tasks import Task, TaskResult
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch, open_batch
from cnnvis_report.pipeline.explaining.reduced_maps import map_reducer
from cnnvis_report.pipeline.explaining.rejected_images import NOT_FINITE, in_one_line
from cnnvis_report.pipeline.explaining.results import Result, results_of
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import Skipped

Images = tuple[DecodedImage, ...]


class BatchExplainer:
    """Explains the batches of one run.

    Images that the network fails on, or gives no finite scores for, are skipped, and the others go on: a batch with
    such an image is halved until it is alone, so that one costs few passes and many cost two each.

    Args:
        metrics: measures maps; None where that isn't wanted. stats: gets what is met.
    """

    def __init__(
        self,
        setup: Setup,
        plan: Plan,
        settings: BatchSettings,
        metrics: MapMetricsStage | None,
        stats: RunStats,
        progress: Progress,
    ) -> None:
        self._subject, self._monitor = setup.network.subject, setup.network.checks.monitor
        self._choice, self._reducer = setup.maps.choice, map_reducer(setup)
        self._tasks, self._shares = plan.dry_run.tasks, plan.shares
        self._settings, self._metrics, self._stats, self._progress = settings, metrics, stats, progress
        self._failing: list[Task] = []  # they have failed on each image of a batch by itself

    def explain(self, images: Images) -> Iterator[Result]:
        """The results of those of a batch that have any, in order.

        Raises:
            RunFailed: a single image doesn't fit into memory.
        """
        if len(images) > 1 and self._subject.one_by_one:  # which showed after the batch was made
            results: list[Result] = []
            parts = _singly(images)
        else:
            results, parts = self._attempt(images)
        if parts and self._subject.device.type == "cuda":
            torch.cuda.empty_cache()
        yield from results
        for part in parts:
            yield from self.explain(part)

    def _attempt(self, images: Images) -> tuple[list[Result], list[Images]]:
        """The results of a batch, and the parts of it that have to be explained again by themselves.

        Nothing of the batch's graph is kept afterwards: the parts need its room.
        """
        try:
            tape = self._open(images)
            logits = tape.logits.float().cpu()
            finite = logits.isfinite().all(dim=1).tolist()
            alone = all(finite) and self._monitor.check_batch(
                [image.item.id for image in images], tape.images, tape.logits
            )
            if alone:
                return [], _singly(images)
            return (self._explained(images, tape, logits), []) if all(finite) else ([], self._apart(images, finite))
        except BadRequest as error:
            return [], self._without_culprit(images, error)
        except (RuntimeError, MemoryError) as error:
            return [], self._smaller(images, error)

    def _without_culprit(self, images: Images, error: BadRequest) -> list[Images]:
        """The halves of a batch that the network doesn't take; an image that was alone is skipped."""
        if len(images) > 1:
            return _halves(images)
        self._skip(images[0], str(error))
        return []

    def _smaller(self, images: Images, error: Exception) -> list[Images]:
        """The halves of a batch that doesn't fit into memory.

        Raises:
            RunFailed: it is a single image.
        """
        if not is_out_of_memory(error):
            raise error
        count = len(images)
        if count == 1:
            raise too_large(images[0].item.name) from error
        self._progress.warn(f"Out of device memory with {count} images at a time; going on with {count // 2}.")
        return _halves(images)

    def _apart(self, images: Images, finite: Sequence[bool]) -> list[Images]:
        """Images with finite scores together, each of the others alone: another one may have spoiled the batch.

        One that was alone is skipped.
        """
        if len(images) == 1:
            self._skip(images[0], f"{self._subject.name} {NOT_FINITE}")
            return []
        rows = list(zip(images, finite, strict=True))
        good = tuple(image for image, is_finite in rows if is_finite)
        return [*([good] if good else []), *((image,) for image, is_finite in rows if not is_finite)]

    def _skip(self, image: DecodedImage, reason: str) -> None:
        self._stats.skipped.append(Skipped(image.item.name, reason.rstrip("."), image.item.fingerprint))

    def _open(self, images: Images) -> Tape:
        """The forward pass over a batch.

        Raises:
            BadRequest: the network doesn't take one of the images.
        """
        inputs = Batch(images).images.to(self._subject.device)
        with in_one_line(self._subject, inputs):
            return open_batch(self._subject, inputs, self._settings_for(images))

    def _settings_for(self, images: Images) -> BatchSettings:
        most = self._settings.capacity or len(images)
        return replace(self._settings, capacity=min(most, len(images)))

    def _explained(self, images: Images, tape: Tape, logits: Tensor) -> list[Result]:
        subject = self._subject
        anchor = tape.anchor.moved("cpu") if isinstance(tape.anchor, Regions | Boxes) else None
        ranking = logits if anchor is None else anchor.shares
        rows = zip(ranking, images, strict=True)
        chosen = [self._choice.choose(row, image.item.labels, subject.meaning) for row, image in rows]
        targets = _rectangle(chosen, ranking).to(subject.device)
        shares = iter(self._shares[:-1])

        def report(results: Sequence[TaskResult]) -> None:
            for failed in [result for result in results if result.error is not None][:1]:
                self._progress.warn(f"{failed.task.name} failed: {failed.reason}.", failed.error)
            self._progress.step(results[0].task.name, len(images) * next(shares))

        explained = explain_batch(
            subject,
            tape.images,
            self._tasks,
            targets,
            self._settings_for(images),
            tape=tape,
            failing=self._failing,
            on_result=report,
        )
        self._stats.computed += len(images)
        self._stats.passes.merge(explained.costs.clock.times())
        results = results_of(subject, images, logits, chosen, explained.results, explained.costs, anchor)
        measured = [self._measured(*pair) for pair in zip(results, images, strict=True)]
        return measured if self._reducer is None else list(map(self._reducer.reduce, measured))

    def _measured(self, result: Result, image: DecodedImage) -> Result:
        """The result with the metrics of its maps, where they are wanted."""
        if self._metrics is None:
            return result
        if self._metrics.applies_to(image):
            with self._stats.timing("metrics_seconds"):
                try:
                    result = self._metrics.measure(result, image)
                except Exception as error:  # the maps are there, and worth keeping without it
                    if is_out_of_memory(error):
                        raise
                    self._progress.warn(f"{image.item.name}: its maps couldn't be measured ({error}).", error)
        self._progress.step("metrics", self._shares[-1])
        return result


def _singly(images: Images) -> list[Images]:
    return [(image,) for image in images]


def _halves(images: Images) -> list[Images]:
    middle = len(images) // 2
    return [images[:middle], images[middle:]]


def _rectangle(chosen: Sequence[Sequence[int]], ranking: Tensor) -> Tensor:
    """[N, K] targets; an image with fewer classes than others has its first again, which nobody reads."""
    rows = [list(classes) or [int(row.argmax())] for classes, row in zip(chosen, ranking, strict=True)]
    most = max(map(len, rows))
    return torch.tensor([row + row[:1] * (most - len(row)) for row in rows])
