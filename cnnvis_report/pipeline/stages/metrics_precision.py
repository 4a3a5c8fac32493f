"""Stage: may the metrics' passes run in bfloat16? Compared with float32 on the maps of a sample of images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import told
from cnnvis_report.evaluation.metric import MapsOfImage, Metric, Scores
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.stages.bfloat16_check import FEW
from cnnvis_report.pipeline.stages.evaluation import MapMetricsStage, pass_metrics
from cnnvis_report.pipeline.stages.explained_again import maps_of, read_images
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import MetricPrecision

HOLDS = 0.05  # of the distance between an image's lowest and highest map, by which a map's value may change
NEGLIGIBLE = 0.005  # by which it may change anyway


@dataclass(frozen=True)
class Change:
    """What bfloat16 changed most on one metric: how far a map's value moved, and how far apart maps are."""

    metric: str
    deviation: float
    spread: float

    @property
    def excess(self) -> float:
        """The deviation in parts of what is allowed; up to 1, maps that lie two deviations apart keep their order."""
        return self.deviation / max(NEGLIGIBLE, HOLDS * self.spread)


def metrics_precision(
    stage: MapMetricsStage,
    images: ImageSet,
    tasks: Sequence[Task],
    settings: BatchSettings,
    progress: Progress,
    *,
    forced: bool = False,
) -> tuple[MetricPrecision, ...]:
    """Compare what metrics give in bfloat16 with what they give in float32, for the predicted class.

    Args:
        images: of which some are measured. tasks: whose maps are the sample, beside random ones.
        forced: whether bfloat16 is used wherever it gives a value at all.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    plain = BatchSettings(capacity=settings.capacity, reference=settings.reference, seed=settings.seed)
    samples = []
    measured = replace(images, items=tuple(item for item in images if item.id in stage.images))
    for image in read_images(stage.subject, measured, 1 if len(measured) < FEW else 2, len(measured)):
        (of_task,) = maps_of(stage.subject, image.values[None], tasks, [image.predicted], plain)
        maps = [values for (values,) in of_task.values()]
        samples.append(stage.sample(maps, image.values, image.predicted))
    checks = []
    for entry in pass_metrics(stage.budget):
        progress.step(f"bfloat16 check: {entry.infos[0].title}")
        checks.append(compared(entry, stage, samples, forced=forced))
    return tuple(checks)


def compared(
    entry: Metric, stage: MapMetricsStage, samples: Sequence[MapsOfImage], *, forced: bool = False
) -> MetricPrecision:
    """The largest change over the sample; one that can't be seen doesn't hold."""
    effort = stage.budget.effort
    names = tuple(info.name for info in entry.infos if effort.full or info.name in entry.quick)
    nothing = MetricPrecision(names, "", None, None, len(samples), used=forced)
    changes: list[Change] = []
    for sample in samples:
        try:
            reduced = stage.reduced(entry).function(sample)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return replace(nothing, used=False, reason=told(error))
        changes += _changes(entry.function(sample), reduced)
    if not changes:
        return replace(nothing, reason="no image of the sample tells maps apart")
    worst = max(changes, key=lambda change: change.excess)
    if not isfinite(worst.deviation):
        return replace(nothing, used=False, reason=f"{worst.metric} has no value in bfloat16")
    deviation, spread = round(worst.deviation, 6), round(worst.spread, 6)
    used = forced or worst.excess <= 1
    return replace(nothing, worst=worst.metric, deviation=deviation, spread=spread, used=used)


def _changes(exact: Mapping[str, Scores], reduced: Mapping[str, Scores]) -> list[Change]:
    """What changed on each metric on which an image tells maps apart; a value that is gone has changed by infinity."""
    changes = []
    for name, scores in exact.items():
        values = [value for value in scores.values if value is not None]
        if scores.blind or not values:
            continue
        others = reduced[name].values if name in reduced else [None] * len(scores.values)
        moved = [
            inf if other is None or not isfinite(other) else abs(value - other)
            for value, other in zip(scores.values, others, strict=True)
            if value is not None
        ]
        changes.append(Change(name, max(moved), max(values) - min(values)))
    return changes


def confirmed_metrics(precision: Sequence[MetricPrecision]) -> frozenset[str]:
    """Names of the metrics that keep their values in bfloat16."""
    return frozenset(name for entry in precision if entry.used for name in entry.metrics)
