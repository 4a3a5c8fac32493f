"""Stage: do maps change when the network forgets what it learned? Cascading randomization, once a run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.randomization import randomized, stages
from cnnvis_report.evaluation.similarity import SIMILARITIES, map_similarities
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.planning.forecast import Spent
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget
from cnnvis_report.pipeline.stages.explained_again import (
    Maps,
    PredictedImage,
    TaskKey,
    anchored_to,
    in_place_of,
    maps_of,
    read_images,
)
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import MethodTest, MetricInfo, MetricKind, RandomizationResult

TEST = MetricInfo(
    name="randomization",
    title="Randomization test (ρ)",
    description="Rank correlation of the map's magnitudes with those of a copy whose weights are all randomized",
    higher_is_better=False,
    kind=MetricKind.SANITY,
    source="Adebayo et al. 2018, arXiv:1810.03292",
)

Similarities = dict[TaskKey, dict[str, float]]  # as `map_similarities` has them


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
    tested = read_images(subject, images, budget.randomized)
    paths = [layer.name.partition("#")[0] for layer in subject.layers]
    try:
        cascade = stages(subject.network, list(dict.fromkeys(paths)), budget.stages) if tasks and tested else ()
    except NotApplicable:
        cascade = ()
    if not cascade:
        return Randomization()
    plain = BatchSettings(reference=settings.reference, seed=settings.seed)
    trained = _compared(subject, tested, tasks, plain, subject)
    similarities: list[list[Similarities]] = []
    for number, layers in enumerate(cascade, start=1):
        progress.step(f"randomization test, step {number} of {len(cascade)}")
        other = _randomized(subject, layers, tested[0], settings.seed)
        if other is None:
            break
        anew = replace(plain, reference=settings.reference.unfitted() if settings.reference else None)
        maps = _compared(other, tested, tasks, anew, subject)
        similarities.append([_similarity(*pair) for pair in zip(trained, maps, strict=True)])
    fractions = tuple(round(len(layers) / len(cascade[-1]), 4) for layers in cascade[: len(similarities)])
    rows = [_mean_over_images((task.name, task.layer), similarities) for task in tasks]
    whole = similarities[-1] if len(similarities) == len(cascade) else []
    tests = [_by_image((task.name, task.layer), whole) for task in tasks]
    return Randomization(
        fractions,
        len(tested),
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


def _randomized(subject: Subject, layers: Sequence[str], example: PredictedImage, seed: int) -> Subject | None:
    """The network with these layers randomized; None where it gives no finite scores then."""
    try:
        return in_place_of(subject, randomized(subject.network, layers, seed), example.values[None])
    except BadRequest:
        return None


def _compared(
    subject: Subject, images: Sequence[PredictedImage], tasks: Sequence[Task], settings: BatchSettings, trained: Subject
) -> list[Maps]:
    """Each task's map of the class that the trained network predicts, image by image, over the region that it has."""
    return [
        maps_of(
            subject,
            image.values[None],
            tasks,
            [image.predicted],
            replace(settings, anchor=anchored_to(trained, image)),
        )[0]
        for image in images
    ]


def _similarity(one: Maps, other: Maps) -> Similarities:
    """Of each task that has both maps, and neither of a single value."""
    shared = [key for key in one if key in other]
    compared = {key: map_similarities(one[key][0], other[key][0]) for key in shared}
    return {key: values for key, values in compared.items() if values is not None}


def _mean_over_images(key: TaskKey, similarities: Sequence[Sequence[Similarities]]) -> RandomizationResult | None:
    """Means over images, step by step, up to the first step that no image has a number for."""
    rows = []
    for step in similarities:
        numbers = [list(image[key].values()) for image in step if key in image]
        if not numbers:
            break
        rows.append(np.mean(numbers, axis=0))
    if not rows:
        return None
    columns = [tuple(round(float(row[k]), 4) for row in rows) for k in range(len(SIMILARITIES))]
    return RandomizationResult(key[0], key[1], *columns)


def _by_image(key: TaskKey, similarities: Sequence[Similarities]) -> MethodTest:
    """The rank correlation of magnitudes on each image that has one."""
    values = tuple(round(image[key]["absolute"], 4) for image in similarities if key in image)
    return MethodTest(TEST.name, *key, values)
