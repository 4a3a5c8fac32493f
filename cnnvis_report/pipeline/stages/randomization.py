"""Which methods notice that the network has forgotten what it learned: cascading randomization, once a run."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.randomization import randomized, stages
from cnnvis_report.evaluation.rank_correlation import SIDE, spearman
from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.evaluation.ssim import ssim
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.evaluation import Budget, cheap
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import RandomizationResult

Found = dict[tuple[str, str], Array]


def randomization(
    study: Study, plan: Plan, budget: Budget, progress: Progress
) -> tuple[tuple[float, ...], int, tuple[RandomizationResult, ...]]:
    """The shares of layers that were drawn anew, on how many images, and what became of each method's maps.

    The class that the trained network sees first is explained at every stage. Methods that take many passes are left
    out, as the budget says; a network that gives no finite scores at a stage ends the cascade there.
    """
    tasks = cheap(plan.dry_run, plan.classes, budget)
    images = [ready for ready in _images(study, plan) if isinstance(ready, DecodedImage)]
    images = list(islice(images, budget.randomized))
    paths = [name.partition("#")[0] for name in (layer.name for layer in study.subject.layers)]
    try:
        cascade = stages(study.subject.network, list(dict.fromkeys(paths)), budget.stages)
    except NotApplicable:
        return (), 0, ()
    if not tasks or not images:
        return (), 0, ()
    targets = [_first(study.subject, ready, study) for ready in images]
    pairs = list(zip(images, targets, strict=True))
    learned = [_maps(study.subject, tasks, ready, target, study, study.reference) for ready, target in pairs]
    likeness: list[list[dict[tuple[str, str], tuple[float, float, float]]]] = []
    for number, part in enumerate(cascade, start=1):
        progress.step(f"weights drawn anew, stage {number} of {len(cascade)}")
        try:
            other = Subject(
                randomized(study.subject.network, part, study.seed),
                images[0].picture.values[None].to(study.device),
                preprocessing=study.subject.preprocessing,
                scores=study.subject.meaning.kind,
            )
        except BadRequest:
            break
        other.one_by_one = study.subject.one_by_one
        others = Reference(lambda: study.reference.images)  # what is fitted to them is another network's
        found = [_maps(other, tasks, ready, target, study, others) for ready, target in pairs]
        likeness.append([_likeness(one, two) for one, two in zip(learned, found, strict=True)])
    shares = tuple(round(len(part) / len(cascade[-1]), 4) for part in cascade[: len(likeness)])
    names = [(task.name, task.layer) for task in tasks]
    rows = [_summed(name, likeness) for name in names]
    return shares, len(images), tuple(row for row in rows if row is not None)


def _images(study: Study, plan: Plan) -> Sequence[object]:
    items = [item for item in study.images if item.id in plan.measured]
    return [read_item(item, study.subject.preprocessing) for item in items[:8]]


def _first(subject: Subject, ready: DecodedImage, study: Study) -> int:
    with torch.no_grad():
        return int(subject.forward(ready.picture.values[None].to(study.device))[0].argmax())


def _maps(
    subject: Subject, tasks: Sequence[Task], ready: DecodedImage, target: int, study: Study, others: Reference
) -> Found:
    """Each task's shown map of the target, on one small grid; none where the network fails."""
    image = ready.picture.values[None].to(study.device)
    found: Found = {}
    try:
        settings = BatchSettings(reference=others, seed=study.seed)
        explained = explain_batch(subject, image, tasks, torch.tensor([[target]]), settings)
    except Exception as error:  # a network drawn anew may fail on an image that it took before
        if is_out_of_memory(error):
            raise
        return found
    for (result,) in explained.results:
        if result.maps is not None and bool(result.maps.isfinite().all()):
            shown = result.task.method.info.shown(result.maps[0, 0].numpy())
            grid = on_grid(torch.from_numpy(shown), (SIDE, SIDE)).numpy()
            found[result.task.name, result.task.layer] = np.asarray(grid, dtype=np.float32)
    return found


def _likeness(one: Found, two: Found) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Of each method that has both maps: rank correlation of values and of magnitudes, SSIM of magnitudes."""
    found = {}
    for name in one.keys() & two.keys():
        a, b = one[name], two[name]
        numbers = (spearman(a, b), spearman(np.abs(a), np.abs(b)), ssim(np.abs(a), np.abs(b)))
        if all(map(np.isfinite, numbers)):
            found[name] = numbers
    return found


def _summed(
    name: tuple[str, str], likeness: Sequence[Sequence[dict[tuple[str, str], tuple[float, float, float]]]]
) -> RandomizationResult | None:
    """Means over images, stage by stage, up to the first stage that no image has a number for."""
    rows = []
    for stage in likeness:
        numbers = [each[name] for each in stage if name in each]
        if not numbers:
            break
        rows.append(np.mean(numbers, axis=0))
    if not rows:
        return None
    columns = [tuple(round(float(row[k]), 4) for row in rows) for k in range(3)]
    return RandomizationResult(name[0], name[1], *columns)
