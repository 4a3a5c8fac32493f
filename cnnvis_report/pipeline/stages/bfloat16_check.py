"""Whether methods that only look forward may do so in bfloat16: tried on a sample, before the run."""

from collections.abc import Sequence
from math import isnan

from torch import Tensor

from cnnvis_report.data.batches import sample
from cnnvis_report.evaluation.rank_correlation import spearman
from cnnvis_report.methods.tasks import TaskResult
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.rejected_images import usable
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import Precision

HOLDS = 0.99  # the rank correlation from which on the order of the pixels is the same
FEW = 32  # in sets of fewer images one is a sample, and two otherwise


def trials(study: Study, plan: Plan, progress: Progress) -> tuple[Precision, ...]:
    """What bfloat16 makes of each map that might be found in it: the order of its pixels against float32.

    The class that the network sees first is explained, on images spread over the set.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    if not plan.reduced:
        return ()
    most = 1 if plan.images < FEW or plan.batch == 1 else 2
    images = usable(study.subject, sample(study.images, study.subject.preprocessing, most).to(study.device), plan.batch)
    exact, rough = (_results(study, plan, images, reduced, progress) for reduced in (False, True))
    forced = study.precision == "bfloat16"
    return tuple(_compared(one, two, forced) for one, two in zip(exact, rough, strict=True))


def _results(study: Study, plan: Plan, images: Tensor, reduced: bool, progress: Progress) -> list[TaskResult]:
    settings = BatchSettings(
        capacity=plan.batch, reference=study.reference, seed=study.seed, reduced=plan.reduced if reduced else ()
    )

    def told(results: Sequence[TaskResult]) -> None:
        progress.step(f"{results[0].task.name}, in bfloat16 too?")

    explained = explain_batch(study.subject, images, plan.reduced, None, settings, on_result=told)
    return [result for (result,) in explained.results]


def _compared(exact: TaskResult, rough: TaskResult, forced: bool) -> Precision:
    """The lowest rank correlation of the sample's maps; one without order, as of a single value, doesn't hold."""
    task = exact.task
    if exact.maps is None or rough.maps is None:
        return Precision(task.name, task.layer, None, 0, used=False, reason=exact.reason or rough.reason)
    found = [
        spearman(*(task.method.info.shown(maps[0].numpy()) for maps in pair))
        for pair in zip(exact.maps, rough.maps, strict=True)
    ]
    if any(map(isnan, found)):
        return Precision(task.name, task.layer, None, len(found), used=forced, reason="maps without an order")
    lowest = round(min(found), 5)
    return Precision(task.name, task.layer, lowest, len(found), used=forced or lowest >= HOLDS)
