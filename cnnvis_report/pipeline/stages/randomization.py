"""Stage: do maps change when the network forgets what it learned? Cascading randomization, once a run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.randomization import randomized, stages
from cnnvis_report.evaluation.rank_correlation import SIDE, spearman
from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.evaluation.ssim import ssim
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.forecast import Spent
from cnnvis_report.pipeline.stages.evaluation import MetricsBudget
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MethodTest, MetricInfo, MetricKind, RandomizationResult

TRIED = 2  # times the images that are wanted are read at most, until enough can be
TEST = MetricInfo(
    name="randomization",
    title="Randomization test (ρ)",
    description="Rank correlation of the map's magnitudes with those of a copy whose weights are all randomized",
    higher_is_better=False,
    kind=MetricKind.SANITY,
    source="Adebayo et al. 2018, arXiv:1810.03292",
)

TaskKey = tuple[str, str]  # method, layer
Grids = dict[TaskKey, Array]
Similarity = dict[TaskKey, tuple[float, float, float]]  # rank correlation of values, of magnitudes; SSIM of magnitudes


@dataclass(frozen=True)
class Randomization:
    """What became of maps.

    fractions: of the layers that were randomized, cascade step by step. images: how many were explained.
    results: means over images at each step. tests: of each image, the rank correlation of magnitudes at the last step;
    none where the cascade ended earlier.
    """

    fractions: tuple[float, ...] = ()
    images: int = 0
    results: tuple[RandomizationResult, ...] = ()
    tests: tuple[MethodTest, ...] = ()


def randomization(
    subject: Subject,
    images: ImageSet,
    tasks: Sequence[Task],
    budget: MetricsBudget,
    settings: BatchSettings,
    progress: Progress,
) -> Randomization:
    """Explain the predicted class while weights are randomized from the logits down; compare with the trained network.

    A network that gives no finite scores at a step ends the cascade there.

    Args:
        images: those that were measured. tasks: cheap ones, as the budget says. settings: reference and seed.
    """
    decoded = _decoded(subject, images, budget.randomized)
    paths = [layer.name.partition("#")[0] for layer in subject.layers]
    try:
        cascade = stages(subject.network, list(dict.fromkeys(paths)), budget.stages) if tasks and decoded else ()
    except NotApplicable:
        cascade = ()
    if not cascade:
        return Randomization()
    plain = BatchSettings(reference=settings.reference, seed=settings.seed)
    targets = [_predicted(subject, image) for image in decoded]
    trained = [_grids(subject, tasks, *pair, plain) for pair in zip(decoded, targets, strict=True)]
    similarities: list[list[Similarity]] = []
    for number, layers in enumerate(cascade, start=1):
        progress.step(f"randomization test, step {number} of {len(cascade)}")
        other = _randomized(subject, layers, decoded[0], settings.seed)
        if other is None:
            break
        anew = replace(plain, reference=settings.reference.unfitted() if settings.reference else None)
        grids = [_grids(other, tasks, *pair, anew) for pair in zip(decoded, targets, strict=True)]
        similarities.append([_similarity(*pair) for pair in zip(trained, grids, strict=True)])
    fractions = tuple(round(len(layers) / len(cascade[-1]), 4) for layers in cascade[: len(similarities)])
    rows = [_mean_over_images((task.name, task.layer), similarities) for task in tasks]
    whole = similarities[-1] if len(similarities) == len(cascade) else []
    tests = [_by_image((task.name, task.layer), whole) for task in tasks]
    return Randomization(
        fractions,
        len(decoded),
        tuple(row for row in rows if row is not None),
        tuple(test for test in tests if test.values),
    )


def randomization_seconds(
    spent: Spent, budget: MetricsBudget, methods: Collection[str], measured: int, classes: int
) -> float:
    """A forecast: methods for one class on some images at each step, what they fit to the reference images anew."""
    rounds = (budget.stages + 1) * min(budget.randomized, measured)
    an_image = max(spent.of(methods) - spent.latest, 0.0) / classes
    return rounds * an_image + budget.stages * spent.fitting


def _decoded(subject: Subject, images: ImageSet, count: int) -> list[DecodedImage]:
    read = (read_item(item, subject.preprocessing) for item in images.items[: TRIED * count])
    return list(islice((image for image in read if isinstance(image, DecodedImage)), count))


def _randomized(subject: Subject, layers: Sequence[str], example: DecodedImage, seed: int) -> Subject | None:
    """The network with these layers randomized; None where it gives no finite scores then."""
    try:
        other = Subject(
            randomized(subject.network, layers, seed),
            example.picture.values[None].to(subject.device),
            preprocessing=subject.preprocessing,
            scores=subject.meaning.kind,
        )
    except BadRequest:
        return None
    other.one_by_one = subject.one_by_one
    return other


def _predicted(subject: Subject, image: DecodedImage) -> int:
    with torch.no_grad():
        return int(subject.forward(image.picture.values[None].to(subject.device))[0].argmax())


def _grids(subject: Subject, tasks: Sequence[Task], image: DecodedImage, target: int, settings: BatchSettings) -> Grids:
    """Each task's map of the target, as it is shown, on one small grid; none where the network fails."""
    inputs = image.picture.values[None].to(subject.device)
    try:
        explained = explain_batch(subject, inputs, tasks, torch.tensor([[target]]), settings)
    except Exception as error:  # a randomized network may fail on an image that it took before
        if is_out_of_memory(error):
            raise
        return {}
    grids: Grids = {}
    for (result,) in explained.results:
        if result.maps is not None and bool(result.maps.isfinite().all()):
            shown = result.task.method.info.shown(result.maps[0, 0].numpy())
            grid = on_grid(torch.from_numpy(shown), (SIDE, SIDE)).numpy()
            grids[result.task.name, result.task.layer] = np.asarray(grid, dtype=np.float32)
    return grids


def _similarity(one: Grids, other: Grids) -> Similarity:
    """Of each task that has both maps and a number for all three measures."""
    similarities: Similarity = {}
    for key in one.keys() & other.keys():
        a, b = one[key], other[key]
        numbers = (spearman(a, b), spearman(np.abs(a), np.abs(b)), ssim(np.abs(a), np.abs(b)))
        if all(map(np.isfinite, numbers)):
            similarities[key] = numbers
    return similarities


def _mean_over_images(key: TaskKey, similarities: Sequence[Sequence[Similarity]]) -> RandomizationResult | None:
    """Means over images, step by step, up to the first step that no image has a number for."""
    rows = []
    for step in similarities:
        numbers = [image[key] for image in step if key in image]
        if not numbers:
            break
        rows.append(np.mean(numbers, axis=0))
    if not rows:
        return None
    columns = [tuple(round(float(row[k]), 4) for row in rows) for k in range(3)]
    return RandomizationResult(key[0], key[1], *columns)


def _by_image(key: TaskKey, similarities: Sequence[Similarity]) -> MethodTest:
    """The rank correlation of magnitudes on each image that has one."""
    values = tuple(round(image[key][1], 4) for image in similarities if key in image)
    return MethodTest(TEST.name, *key, values)
