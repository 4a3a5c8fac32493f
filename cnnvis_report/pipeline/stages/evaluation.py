"""Metrics of one image's maps, and how much of a run is spent on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.curve_measures import RANKING
from cnnvis_report.evaluation.measure import measure
from cnnvis_report.evaluation.metric import Effort, MapsOfImage, forward_passes, metrics
from cnnvis_report.evaluation.rank_correlation import agreement
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.methods.random import random_map
from cnnvis_report.methods.tasks import DryRun, Task
from cnnvis_report.pipeline.results import Result
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics

OTHER_SEEDS = 7_368_787  # apart from each other, and from those of the method `random`; a generator reads 32 bits


@dataclass(frozen=True)
class MetricsBudget:
    """How much is measured.

    images: how many at most, None for all. random_maps: with which each of them is compared. steps, finest: that
    perturbation curves begin with, and up to which they are refined. regions: replaced in region perturbation, on a
    grid of `across` cells a side. full: whether all metrics are measured, else the ranking one and those that cost no
    pass. randomized, stages: images and steps of the cascading randomization; methods that take more than
    `most_passes` a map aren't randomized. tested: images of the other tests that explain again; 0 leaves them out.
    """

    name: str
    images: int | None
    random_maps: int
    steps: int
    finest: int
    regions: int
    across: int
    full: bool
    randomized: int
    stages: int
    most_passes: float
    tested: int

    @property
    def effort(self) -> Effort:
        """What metrics have to know of it."""
        return Effort(self.steps, self.regions, self.across, self.finest, self.full)

    def passes(self, maps: int) -> int:
        """Forward passes for an image with so many maps, to be expected."""
        return forward_passes(self.effort, maps + self.random_maps)


BUDGETS = {
    "quick": MetricsBudget(
        "quick",
        images=16,
        random_maps=3,
        steps=12 // len(RANKING.curves),  # so that it takes less than half as long as `--methods standard`
        finest=1,
        regions=0,
        across=14,
        full=False,
        randomized=8,
        stages=2,
        most_passes=4,
        tested=0,
    ),
    "full": MetricsBudget(
        "full",
        images=None,
        random_maps=5,
        steps=32,
        finest=128,
        regions=12,
        across=14,
        full=True,
        randomized=16,
        stages=4,
        most_passes=60,
        tested=8,
    ),
}


# with "auto", where methods are named and there are masks: nothing that takes a pass
LOCALIZATION = replace(BUDGETS["full"], name="localization", images=0, full=False, randomized=0, tested=0)


def choose_budget(name: str, methods: Sequence[str], *, masks: bool = False) -> MetricsBudget | None:
    """The budget called so; "auto" is quick where sets of methods are asked for.

    Where methods are named it is none, or localization alone if there are masks.

    Raises:
        BadRequest: there is no such budget.
    """
    if name == "auto":
        if masks and not {"standard", "all"} & set(methods):
            return LOCALIZATION
        name = "quick" if {"standard", "all"} & set(methods) else "none"
    if name != "none" and name not in BUDGETS:
        raise BadRequest(f"--metrics {name!r}: it can be auto, none, quick or full.")
    return BUDGETS.get(name)


def measured_images(budget: MetricsBudget | None, images: ImageSet) -> frozenset[str]:
    """Ids of the images that are measured, spread evenly over the set."""
    ids = [item.id for item in images]
    if budget is None:
        return frozenset()
    count = len(ids) if budget.images is None else min(budget.images, len(ids))
    return frozenset(ids[number * len(ids) // count] for number in range(count))


def randomized_tasks(dry_run: DryRun, classes: int, budget: MetricsBudget) -> list[Task]:
    """Tasks that are randomized: those that would take few passes alone, random maps left out.

    Args:
        classes: how many of an image the dry run explains.
    """
    return [
        task
        for task, (forward, backward) in zip(dry_run.tasks, dry_run.costs, strict=True)
        if (forward + backward) / classes <= budget.most_passes and not task.method.info.baseline
    ]


def randomization_passes(dry_run: DryRun, classes: int, budget: MetricsBudget, measured: int) -> tuple[float, float]:
    """Forward and backward passes of the cascading randomization, where so many images are measured."""
    tasks = randomized_tasks(dry_run, classes, budget)
    costs = [cost for task, cost in zip(dry_run.tasks, dry_run.costs, strict=True) if task in tasks]
    rounds = (budget.stages + 1) * min(budget.randomized, measured)
    return rounds * (1 + sum(cost[0] for cost in costs) / classes), rounds * sum(cost[1] for cost in costs) / classes


@dataclass(frozen=True)
class MapMetricsStage:
    """Measures the maps of one image after the other.

    images: ids of those that are measured. methods: by name. capacity: how many images the network takes at a time.
    """

    subject: Subject
    budget: MetricsBudget
    images: frozenset[str]
    methods: dict[str, MethodInfo]
    capacity: int
    seed: int

    def applies_to(self, image: DecodedImage) -> bool:
        """Whether anything of an image's maps is measured: localization is on all images with a mask, for no pass."""
        return image.item.id in self.images or image.mask is not None

    def measure(self, result: Result, image: DecodedImage) -> Result:
        """The result with the metrics of its maps.

        Those of the first class that is explained; localization is measured for the class of the label.
        """
        record = result.image
        if image.item.id in self.images and record.targets:
            record = replace(record, metrics=self._metrics(result, image, record.targets[0].index, masked=False))
        target = self._masked_class(result, image)
        if target is not None:
            record = replace(record, localization=self._metrics(result, image, target, masked=True))
        return replace(result, image=record)

    def _masked_class(self, result: Result, image: DecodedImage) -> int | None:
        """The class of the object that the mask shows; None where there is none."""
        if image.mask is None or not image.mask.any() or not result.image.targets:
            return None
        label = image.item.label
        # a mask is of what the image shows, whatever value a regression gives it
        if label is None or not self.subject.meaning.kind.judged:
            return result.image.targets[0].index
        return label.index

    def _metrics(self, result: Result, image: DecodedImage, target: int, *, masked: bool) -> ImageMetrics | None:
        """What the maps of a class score, on metrics that need a mask or on those that don't; None without a map."""
        records = [record for record in result.image.maps if record.target == target]
        if not records:
            return None
        maps = [self._shown(record.method, result.arrays[record.key]) for record in records]
        random = self._random_maps(image, target)
        sample = self._maps_of_image([*maps, *random], image, target)
        entries = [entry for entry in metrics(self.budget.effort) if entry.needs_mask is masked]
        measured = measure(sample, len(random), entries=entries)
        return ImageMetrics(
            maps=tuple(
                MapMetrics(record.method, record.layer, record.target, scores.values, scores.curves)
                for record, scores in zip(records, measured.maps, strict=True)
            ),
            agreement=() if masked else _rows(agreement(maps)),
            random=measured.random,
            ranges=measured.ranges,
            blind=measured.blind,
        )

    def _random_maps(self, image: DecodedImage, target: int) -> list[Array]:
        """Maps like those of the method `random`, drawn from other seeds than its own."""
        inputs = image.picture.values
        seeds = (self.seed * 1009 + target + OTHER_SEEDS * draw for draw in range(1, self.budget.random_maps + 1))
        return [np.asarray(random_map(inputs, seed).numpy(), dtype=np.float32) for seed in seeds]

    def _shown(self, method: str, values: np.ndarray) -> Array:
        return self.methods[method].shown(np.asarray(values, dtype=np.float32))

    def _maps_of_image(self, maps: Sequence[Array], image: DecodedImage, target: int) -> MapsOfImage:
        inputs = image.picture.values.to(self.subject.device)
        return MapsOfImage(
            maps=maps,
            image=inputs,
            target=target,
            logits=self._logits,
            meaning=self.subject.meaning,
            black=self.subject.preprocessing.black(inputs[None]),
            mask=image.mask,
            generator=lambda: noise_generator(inputs, self.seed),
            effort=self.budget.effort,
            capacity=1 if self.subject.one_by_one else self.capacity,
            seed=self.seed,
        )

    def _logits(self, images: Tensor) -> Tensor:
        with grad_mode(), torch.no_grad():
            return self.subject.forward(images)


def _rows(matrix: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Rows that JSON can carry."""
    return tuple(tuple(None if np.isnan(value) else round(float(value), 4) for value in row) for row in matrix)
