"""What the maps of a run are made with, once everything is decided: the same in this process and in any other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.batch_explainer import BatchExplainer
from cnnvis_report.pipeline.explain_batch import BatchSettings
from cnnvis_report.pipeline.fit_cache import FolderFitCache
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.store.writer import RunWriter


@dataclass(frozen=True)
class MapMaking:
    """What the maps of a run are made with.

    folder: of the run. run: the run's fingerprint, without its images' contents. reduced: tasks that run in bfloat16,
    and in_bfloat16 the metrics whose passes do.
    """

    setup: Setup
    plan: Plan
    folder: Path
    run: str
    reduced: tuple[Task, ...] = ()
    in_bfloat16: frozenset[str] = frozenset()

    def batch_settings(self) -> BatchSettings:
        """How batches go through the network; what is fitted to the image set is looked for in the run's folder."""
        setup, plan = self.setup, self.plan
        reference = setup.maps.reference.with_cache(FolderFitCache(self.folder, self.run))
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

    def explainer(self, settings: BatchSettings, stats: RunStats, progress: Progress) -> BatchExplainer:
        """What explains batches; `stats` gets what it meets."""
        network = self.setup.network
        return BatchExplainer(
            network.subject,
            self.plan.dry_run.tasks,
            self.setup.maps.choice,
            settings,
            shares=self.plan.shares,
            metrics=self.metrics(),
            monitor=network.checks.monitor,
            stats=stats,
            progress=progress,
        )


class Engine(Protocol):
    """Makes the maps of a run somewhere else than in this process."""

    def explain(self, making: MapMaking, writer: RunWriter, stats: RunStats, progress: Progress) -> None:
        """Write the maps of all images that the writer hasn't got yet.

        Raises:
            RunFailed: they can't be made there; nothing is made in this process in their place.
        """


def shards(images: ImageSet, size: int | None) -> Iterator[ImageSet]:
    """Consecutive images, so many at a time, all where None; no batch holds images of two shards."""
    step = size or len(images) or 1
    for start in range(0, len(images), step):
        yield replace(images, items=images.items[start : start + step])
