"""What the maps of a run are made with, once everything is decided: the same in this process and in any other."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch

from cnnvis_report.data.batches import DecodedImage, batches
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.batch_explainer import BatchExplainer
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.explaining.fit_cache import FolderFitCache
from cnnvis_report.pipeline.explaining.reduced_maps import array_layout
from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.inspection.merge_tree import merged
from cnnvis_report.pipeline.inspection.set_pass import SetPass, pass_over_set
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.store.array_files.shards import ArrayLayout
from cnnvis_report.store.writer import RunWriter


@dataclass(frozen=True)
class ExplainedBatch:
    """A batch that has been through the network.

    results: of its images, in order; none where all of them were done before. missing: ids of those that weren't.
    """

    images: tuple[DecodedImage, ...]
    results: Sequence[Result]
    missing: Collection[str]

    @property
    def new(self) -> list[Result]:
        """The results of images that weren't done before."""
        return [result for result in self.results if result.image.id in self.missing]


@dataclass(frozen=True)
class MapMaking:
    """What the maps of a run are made with.

    folder: of the run. run: the run's fingerprint, without its images' contents. reduced: tasks that run in bfloat16,
    and in_bfloat16 the metrics whose passes do. keeps_fits: whether the folder keeps what is fitted to the image set.
    """

    setup: Setup
    plan: Plan
    folder: Path
    run: str
    reduced: tuple[Task, ...] = ()
    in_bfloat16: frozenset[str] = frozenset()
    keeps_fits: bool = True

    @property
    def layout(self) -> ArrayLayout:
        """How arrays stand in files; no batch holds images of two of them."""
        return array_layout(self.setup, self.plan.batch)

    def batch_settings(self) -> BatchSettings:
        """How batches go through the network; what is fitted to the image set is looked for in the run's folder."""
        setup, plan = self.setup, self.plan
        reference = setup.maps.reference
        if self.keeps_fits:
            reference = reference.with_cache(FolderFitCache(self.folder, self.run))
        return BatchSettings(plan.dry_run, plan.batch, reference, setup.config.machine.seed, self.reduced)

    def metrics(self) -> MapMetricsStage | None:
        """What measures the maps; None where that isn't wanted."""
        setup, plan = self.setup, self.plan
        if setup.maps.metrics is None:
            return None
        methods = {task.name: task.method.info for task in setup.maps.tasks}
        return MapMetricsStage(
            setup.network.subject,
            setup.maps.metrics,
            plan.measured,
            methods,
            plan.batch,
            setup.config.machine.seed,
            self.in_bfloat16,
        )

    def batches(
        self,
        images: ImageSet,
        settings: BatchSettings,
        stats: RunStats,
        progress: Progress,
        done: Collection[str] = (),
    ) -> Iterator[ExplainedBatch]:
        """Explain the images of whole shards, batch by batch; nothing of a shard has an influence on the next one.

        A batch goes through the network whole if one of its images isn't done. So it holds the same images, and its
        maps are the same bytes, wherever an earlier start has stopped.

        Args:
            settings: as `batch_settings` gives them. stats: gets what is met. done: ids of images with results.

        Raises:
            RunFailed: a single image doesn't fit into memory.
        """
        preprocessing, layout = self.setup.network.subject.preprocessing, self.layout
        shards = {item.id: layout.shard_of(position) for position, item in enumerate(images)}
        explainer, shard = self._explainer(settings, stats, progress), None
        for batch in batches(images, preprocessing, self.plan.batch, stats.skipped, layout.shard_size):
            decoded = batch.ready
            if shard != shards[decoded[0].item.id]:
                explainer, shard = self._explainer(settings, stats, progress), shards[decoded[0].item.id]
            notes = ((image.item.name, image.picture.note) for image in decoded)
            stats.image_notices += [f"{name}: {note}." for name, note in notes if note]
            missing = frozenset(image.item.id for image in decoded if image.item.id not in done)
            explained = ExplainedBatch(decoded, list(explainer.explain(decoded)) if missing else [], missing)
            stats.missing_maps += sum(len(result.image.not_applicable) for result in explained.new)
            yield explained

    def shards_of(self, done: Collection[str]) -> list[ImageSet]:
        """The images that are done, shard by shard; all at once where each has a file of its own."""
        images, layout = self.setup.images, self.layout
        count = layout.shards(len(images))
        ranges = [images.items[layout.positions(number)] for number in range(count)] if count else [images.items]
        return [replace(images, items=tuple(item for item in items if item.id in done)) for items in ranges]

    def survey(self, images: ImageSet, number: int, expected: int, progress: Progress) -> SetPass:
        """Pass over the images of a shard for what is shown of the layers.

        Args:
            number: of the shard; each draws positions of its own. expected: how many images all shards have.
        """
        network, inspection_plan = self.setup.network, self.setup.inspection
        assert inspection_plan is not None  # else nothing of the layers is shown
        subject, seed = network.subject, self.setup.config.machine.seed + number
        size = 1 if subject.one_by_one else self.plan.batch
        with subject.in_eval_mode(), torch.no_grad():
            return pass_over_set(
                subject, images, inspection_plan, size, seed, network.checks.monitor, progress, expected=expected
            )

    def _explainer(self, settings: BatchSettings, stats: RunStats, progress: Progress) -> BatchExplainer:
        return BatchExplainer(self.setup, self.plan, settings, self.metrics(), stats, progress)


class Engine(Protocol):
    """Makes the maps of a run somewhere else than in this process."""

    def describe(self, setup: Setup) -> str:
        """Where, in a line."""

    def explain(self, making: MapMaking, writer: RunWriter, stats: RunStats, progress: Progress) -> None:
        """Write the maps of all images that the writer hasn't got yet.

        Raises:
            RunFailed: they can't be made there; nothing is made in this process in their place.
        """

    def survey(self, making: MapMaking, shards: Sequence[ImageSet], progress: Progress) -> SetPass:
        """Pass over the images of all shards for what is shown of the layers.

        Raises:
            RunFailed: that can't be done there.
        """


def survey_set(making: MapMaking, done: Collection[str], engine: Engine | None, progress: Progress) -> SetPass:
    """Pass over all images that are done, shard by shard, for what is shown of the layers."""
    shards = making.shards_of(done)
    if engine is not None:
        return engine.survey(making, shards, progress)
    expected = sum(map(len, shards))
    parts = ((number, making.survey(images, number, expected, progress)) for number, images in enumerate(shards))
    return merged(parts, len(shards))
