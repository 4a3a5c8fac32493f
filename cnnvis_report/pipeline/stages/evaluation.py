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
from cnnvis_report.evaluation.insertion_deletion import area, deletion_curves, insertion_curves
from cnnvis_report.evaluation.pointing_game import peak_inside
from cnnvis_report.evaluation.rank_correlation import agreement
from cnnvis_report.evaluation.region_perturbation import REPLACEMENTS, aopc, perturbation
from cnnvis_report.evaluation.relevance_mass import relevance_mass, relevance_rank
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.methods.tasks import DryRun, Task
from cnnvis_report.pipeline.results import Result
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics

DIGITS = 5
Values = dict[str, float]  # by metric
Curves = dict[str, tuple[float, ...]]  # by metric: scores after each step


@dataclass(frozen=True)
class MetricsBudget:
    """How much is measured.

    images: how many at most, None for all. steps: of deletion and insertion. regions: replaced in region
    perturbation, on a grid of `across` cells a side; 0 leaves it out. randomized, stages: images and steps of the
    cascading randomization; methods that take more than `most_passes` a map aren't randomized.
    """

    name: str
    images: int | None
    steps: int
    regions: int
    across: int
    randomized: int
    stages: int
    most_passes: float


BUDGETS = {
    "quick": MetricsBudget("quick", images=8, steps=8, regions=0, across=14, randomized=1, stages=3, most_passes=4),
    "full": MetricsBudget("full", images=None, steps=16, regions=12, across=14, randomized=3, stages=4, most_passes=60),
}


def choose_budget(name: str, methods: Sequence[str]) -> MetricsBudget | None:
    """The budget called so; "auto" is quick where sets of methods are asked for, and none where they are named.

    Raises:
        BadRequest: there is no such budget.
    """
    if name == "auto":
        name = "quick" if {"standard", "all"} & set(methods) else "none"
    if name != "none" and name not in BUDGETS:
        raise BadRequest(f"--metrics {name!r}: it can be auto, none, quick or full.")
    return BUDGETS.get(name)


def measured_images(budget: MetricsBudget | None, images: ImageSet) -> frozenset[str]:
    """Ids of the images that are measured, spread evenly over the set."""
    ids = [item.id for item in images]
    if budget is None:
        return frozenset()
    count = min(budget.images or len(ids), len(ids))
    return frozenset(ids[number * len(ids) // count] for number in range(count))


def forward_passes(budget: MetricsBudget, maps: int) -> int:
    """Forward passes for the metrics of an image with so many maps."""
    regions = len(REPLACEMENTS) * (maps * budget.regions + 1) if budget.regions else 0
    return 2 * (maps * (budget.steps - 1) + 2) + regions


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

    def measure(self, result: Result, image: DecodedImage) -> Result:
        """The result with the metrics of its maps of the first class that is explained."""
        target = result.image.targets[0].index if result.image.targets else None
        records = [record for record in result.image.maps if record.target == target]
        if not records:
            return result
        maps = [self._shown(record.method, result.arrays[record.key]) for record in records]
        inputs = image.picture.values.to(self.subject.device)
        curves, values = self._perturbed(inputs, maps, records[0].target)
        label = image.item.label
        # a mask is of what the image shows, whatever value a regression gives it
        decides = label is None or label.index == target or not self.subject.meaning.kind.judged
        if image.mask is not None and decides and bool(image.mask.any()):
            for shown, of_map in zip(maps, values, strict=True):
                of_map["pointing"] = float(peak_inside(shown, image.mask))
                of_map["mass"] = relevance_mass(shown, image.mask)
                of_map["rank"] = relevance_rank(shown, image.mask)
        metrics = tuple(
            MapMetrics(record.method, record.layer, record.target, _rounded(of_map), curve)
            for record, of_map, curve in zip(records, values, curves, strict=True)
        )
        return replace(result, image=replace(result.image, metrics=ImageMetrics(metrics, _rows(agreement(maps)))))

    def _shown(self, method: str, values: np.ndarray) -> Array:
        return self.methods[method].shown(np.asarray(values, dtype=np.float32))

    def _perturbed(self, image: Tensor, maps: Sequence[Array], target: int) -> tuple[list[Curves], list[Values]]:
        """Curves and areas of each map, for an image [C, H, W]."""
        tensors = [torch.from_numpy(values) for values in maps]
        targets = torch.full((len(maps),), target)
        black = self.subject.preprocessing.black(image[None])
        steps, seed, score = self.budget.steps, self.seed, self._probability
        capacity = self._capacity
        curves = {
            "deletion": deletion_curves(
                image, tensors, targets, score, black, steps=steps, capacity=capacity, seed=seed
            ),
            "insertion": insertion_curves(image, tensors, targets, score, steps=steps, capacity=capacity, seed=seed),
        }
        areas = {name: area(curve) for name, curve in curves.items()}
        for replacement in REPLACEMENTS if self.budget.regions else ():
            name = f"regions_{replacement}"
            curves[name] = self._region_perturbation(image, tensors, targets, replacement)
            areas[name] = aopc(curves[name])
        rows = range(len(maps))
        return (
            [{name: _numbers(curve[row]) for name, curve in curves.items()} for row in rows],
            [{name: float(value[row]) for name, value in areas.items()} for row in rows],
        )

    def _region_perturbation(self, image: Tensor, maps: Sequence[Tensor], targets: Tensor, replacement: str) -> Tensor:
        side = max(1, round(min(image.shape[1:]) / self.budget.across))
        return perturbation(
            image,
            maps,
            targets,
            self._logits,
            size=side,
            count=min(self.budget.regions, -(-image.shape[1] // side) * -(-image.shape[2] // side)),
            replacement=replacement,
            generator=noise_generator(image, self.seed),
            capacity=self._capacity,
            seed=self.seed,
        )

    @property
    def _capacity(self) -> int:
        return 1 if self.subject.one_by_one else self.capacity

    def _logits(self, images: Tensor) -> Tensor:
        with grad_mode(), torch.no_grad():
            return self.subject.forward(images)

    def _probability(self, images: Tensor) -> Tensor:
        return self.subject.probabilities(self._logits(images))


def _numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, DIGITS) for value in values.tolist())


def _rounded(values: Values) -> Values:
    return {name: round(value, DIGITS) for name, value in values.items()}


def _rows(matrix: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Rows that JSON can carry."""
    return tuple(tuple(None if np.isnan(value) else round(float(value), 4) for value in row) for row in matrix)
