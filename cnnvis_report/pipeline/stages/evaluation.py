"""How much of a run is spent on what its maps are worth, and the measures of one image's maps."""

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
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics

DIGITS = 5


@dataclass(frozen=True)
class Budget:
    """How much is measured.

    images: how many at most, None for all. steps: of deletion and insertion. regions: replaced in region
    perturbation, on a grid of `across` cells a side; 0 leaves it out. randomized, stages: images and stages of the
    cascading randomization. dear: methods that take more passes a map aren't randomized.
    """

    name: str
    images: int | None
    steps: int
    regions: int
    across: int
    randomized: int
    stages: int
    dear: float


BUDGETS = {
    "quick": Budget("quick", images=8, steps=8, regions=0, across=14, randomized=1, stages=3, dear=4),
    "full": Budget("full", images=None, steps=16, regions=12, across=14, randomized=3, stages=4, dear=60),
}


def choose_budget(asked: str, methods: Sequence[str]) -> Budget | None:
    """The budget called so; "auto" is quick where sets of methods are asked for, and none where they are named.

    Raises:
        BadRequest: there is no such budget.
    """
    if asked == "auto":
        asked = "quick" if {"standard", "all"} & set(methods) else "none"
    if asked != "none" and asked not in BUDGETS:
        raise BadRequest(f"--metrics {asked!r}: it can be auto, none, quick or full.")
    return BUDGETS.get(asked)


def measured_images(budget: Budget | None, images: ImageSet) -> frozenset[str]:
    """Ids of the images that are measured, spread evenly over the set."""
    ids = [item.id for item in images]
    if budget is None:
        return frozenset()
    most = min(budget.images or len(ids), len(ids))
    return frozenset(ids[place * len(ids) // most] for place in range(most))


def forward_passes(budget: Budget, maps: int) -> int:
    """Forward passes for the measures of an image with so many maps."""
    regions = len(REPLACEMENTS) * (maps * budget.regions + 1) if budget.regions else 0
    return 2 * (maps * (budget.steps - 1) + 2) + regions


def cheap(dry_run: DryRun, classes: int, budget: Budget) -> list[Task]:
    """Tasks that are randomized: whose passes, were they alone, are few enough; noise by itself has nothing to forget.

    Args:
        classes: how many of an image the rehearsed passes explain.
    """
    return [
        task
        for task, (forward, backward) in zip(dry_run.tasks, dry_run.costs, strict=True)
        if (forward + backward) / classes <= budget.dear and not task.method.info.baseline
    ]


def randomized_passes(dry_run: DryRun, classes: int, budget: Budget, measured: int) -> tuple[float, float]:
    """Forward and backward passes of the cascading randomization, where so many images are measured."""
    tasks = cheap(dry_run, classes, budget)
    costs = [cost for task, cost in zip(dry_run.tasks, dry_run.costs, strict=True) if task in tasks]
    rounds = (budget.stages + 1) * min(budget.randomized, measured)
    return rounds * (1 + sum(cost[0] for cost in costs) / classes), rounds * sum(cost[1] for cost in costs) / classes


@dataclass(frozen=True)
class Measuring:
    """Measures maps of one network.

    cards: by method. capacity: how many images the network takes at a time.
    """

    subject: Subject
    budget: Budget
    cards: dict[str, MethodInfo]
    capacity: int
    seed: int

    def of(self, result: Result, ready: DecodedImage, image: Tensor) -> Result:
        """The result with what its maps are worth; `image` is [C, H, W] on the network's device."""
        first = result.image.targets[0].index if result.image.targets else None
        found = [each for each in result.image.maps if each.target == first]
        if not found:
            return result
        maps = [self._shown(each.method, result.arrays[each.key]) for each in found]
        curves, values = self._perturbed(image, maps, found[0].target)
        label = ready.item.label
        # a mask is of what the image shows, whatever value a regression gives it
        decides = label is None or label.index == first or not self.subject.meaning.kind.judged
        if ready.mask is not None and decides and bool(ready.mask.any()):
            for place, shown in enumerate(maps):
                values[place]["pointing"] = float(peak_inside(shown, ready.mask))
                values[place]["mass"] = relevance_mass(shown, ready.mask)
                values[place]["rank"] = relevance_rank(shown, ready.mask)
        measures = tuple(
            MapMetrics(each.method, each.layer, each.target, _rounded(values[place]), curves[place])
            for place, each in enumerate(found)
        )
        record: ImageRecord = replace(result.image, metrics=ImageMetrics(measures, _rows(agreement(maps))))
        return replace(result, image=record)

    def _shown(self, method: str, values: np.ndarray) -> Array:
        return self.cards[method].shown(np.asarray(values, dtype=np.float32))

    def _perturbed(
        self, image: Tensor, maps: Sequence[Array], target: int
    ) -> tuple[list[dict[str, tuple[float, ...]]], list[dict[str, float]]]:
        """Curves and areas of each map."""
        tensors = [torch.from_numpy(each) for each in maps]
        targets = torch.full((len(maps),), target)
        black = self.subject.preprocessing.black(image[None])
        steps, capacity = self.budget.steps, self.capacity
        found = {
            "deletion": deletion_curves(
                image, tensors, targets, self._probability, black, steps=steps, capacity=capacity, seed=self.seed
            ),
            "insertion": insertion_curves(
                image, tensors, targets, self._probability, steps=steps, capacity=capacity, seed=self.seed
            ),
        }
        areas = {name: area(each) for name, each in found.items()}
        side = max(1, round(min(image.shape[1:]) / self.budget.across))
        for replacement in REPLACEMENTS if self.budget.regions else ():
            name = f"regions_{replacement}"
            found[name] = perturbation(
                image,
                tensors,
                targets,
                self._logits,
                size=side,
                count=min(self.budget.regions, -(-image.shape[1] // side) * -(-image.shape[2] // side)),
                replacement=replacement,
                generator=noise_generator(image, self.seed),
                capacity=capacity,
                seed=self.seed,
            )
            areas[name] = aopc(found[name])
        curves = [{name: _numbers(each[place]) for name, each in found.items()} for place in range(len(maps))]
        values = [{name: float(each[place]) for name, each in areas.items()} for place in range(len(maps))]
        return curves, values

    def _logits(self, images: Tensor) -> Tensor:
        with grad_mode(), torch.no_grad():
            return self.subject.forward(images)

    def _probability(self, images: Tensor) -> Tensor:
        return self.subject.probabilities(self._logits(images))


def _numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, DIGITS) for value in values.tolist())


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in values.items()}


def _rows(matrix: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Rows that JSON can carry."""
    return tuple(tuple(None if np.isnan(each) else round(float(each), 4) for each in row) for row in matrix)
