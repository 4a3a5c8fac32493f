"""How much is measured: the budgets of `--metrics`, and what they come to for an image set and a list of tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import Effort, forward_passes
from cnnvis_report.methods.tasks import DryRun, Task


@dataclass(frozen=True)
class MetricsBudget:
    """How much is measured.

    images: how many at most, None for all. random_maps: with which each of them is compared. steps, finest: that
    perturbation curves begin with, and up to which they are refined. curve_passes: that those of one map take together
    at most, None for no limit. regions: replaced in region perturbation, on a grid of `across` cells a side. full:
    whether all metrics are measured, else the ranking one and those that cost no pass. randomized, stages: images and
    steps of the cascading randomization; methods that take more than `most_passes` a map aren't randomized. tested:
    images of the other tests that explain again; 0 leaves them out.
    """

    name: str
    images: int | None
    random_maps: int
    steps: int
    finest: int
    curve_passes: int | None
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
        return Effort(
            self.steps, self.regions, self.across, self.finest, self.curve_passes, self.random_maps, self.full
        )

    def passes(self, maps: int) -> int:
        """Forward passes for an image with so many maps, to be expected."""
        return forward_passes(self.effort, maps + self.random_maps)


BUDGETS = {
    "quick": MetricsBudget(
        "quick",
        images=16,
        random_maps=2,
        steps=2,
        finest=128,
        curve_passes=8,  # so that it takes less than half as long as `--methods standard`
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
        random_maps=6,
        steps=32,
        finest=128,
        curve_passes=None,
        regions=12,
        across=14,
        full=True,
        randomized=16,
        stages=4,
        most_passes=60,
        tested=8,
    ),
}

# with "auto", where sets of methods are asked for: the passes of 23 photographs are a third of those of an effort
BY_EFFORT = {
    "low": replace(BUDGETS["quick"], name="low", images=4, curve_passes=2, randomized=2, stages=1),
    "medium": replace(BUDGETS["quick"], name="medium", images=12, curve_passes=4, randomized=4),
    "high": BUDGETS["quick"],
    "max": BUDGETS["quick"],
}
# with "auto", where methods are named and there are masks: nothing that takes a pass
LOCALIZATION = replace(BUDGETS["full"], name="localization", images=0, full=False, randomized=0, tested=0)


def choose_budget(name: str, methods: Sequence[str], effort: str, *, masks: bool = False) -> MetricsBudget | None:
    """The budget called so; "auto" is that of the effort where sets of methods are asked for.

    Where methods are named it is none, or localization alone if there are masks.

    Raises:
        BadRequest: there is no such budget.
    """
    if name == "auto":
        if {"standard", "all"} & set(methods):
            return BY_EFFORT[effort]
        return LOCALIZATION if masks else None
    if name != "none" and name not in BUDGETS:
        raise BadRequest(f"--metrics {name!r}: it can be auto, none, quick or full.")
    return BUDGETS.get(name)


def measured_images(budget: MetricsBudget | None, images: ImageSet) -> frozenset[str]:
    """Ids of the images that are measured, spread evenly over the set."""
    if budget is None:
        return frozenset()
    return frozenset(item.id for item in evenly(images, len(images) if budget.images is None else budget.images))


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
