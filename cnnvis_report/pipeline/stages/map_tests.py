"""Stage: tests that explain a few of the measured images again, once a run."""

from dataclasses import dataclass, replace
from functools import partial

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.max_sensitivity import DRAWS
from cnnvis_report.methods.tasks import DryRun, Task
from cnnvis_report.models.model import Training
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.not_applicable import Stages
from cnnvis_report.pipeline.planning.forecast import Spent
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget, randomized_tasks
from cnnvis_report.pipeline.stages import data_randomization, max_sensitivity, random_logit
from cnnvis_report.pipeline.stages.explained_again import read_images
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import MethodTest, MetricInfo

TIMES = {"max-sensitivity": DRAWS + 1, "random logit": 2, "data randomization": 2}  # that a map is made


@dataclass(frozen=True)
class MapTests:
    """What the tests found, and what each of those is that found something."""

    tests: tuple[MethodTest, ...] = ()
    infos: tuple[MetricInfo, ...] = ()


@dataclass(frozen=True)
class MapTestPlan:
    """What is tested: these tasks on so many images at most, for one class of each.

    tasks: by the test's name.
    """

    images: int
    tasks: dict[str, list[Task]]

    def passes(self, dry_run: DryRun, classes: int, measured: int) -> tuple[float, float]:
        """Forward and backward passes, where so many images are measured and so many classes of each are explained."""
        costs = list(zip(dry_run.tasks, dry_run.costs, strict=True))
        rounds = [(TIMES[name], cost) for name, tasks in self.tasks.items() for task, cost in costs if task in tasks]
        images = min(self.images, measured) / classes
        forward, backward = (images * sum(times * cost[k] for times, cost in rounds) for k in (0, 1))
        return forward, backward


def plan_tests(dry_run: DryRun, classes: int, budget: MetricsBudget, training: Training | None) -> MapTestPlan:
    """What the budget allows: methods that take few passes, random maps left out."""
    tasks = randomized_tasks(dry_run, classes, budget) if budget.tested else []
    fewest = replace(budget, most_passes=min(budget.most_passes, max_sensitivity.MOST_PASSES))
    return MapTestPlan(
        budget.tested,
        {
            "max-sensitivity": randomized_tasks(dry_run, classes, fewest) if tasks else [],
            "random logit": tasks,
            "data randomization": tasks if training is not None and training.permuted is not None else [],
        },
    )


def map_test_seconds(spent: Spent, plan: MapTestPlan, measured: int, classes: int) -> float:
    """A forecast: each test makes its methods' maps so many times, for one class of some images."""
    rounds = sum(TIMES[name] * spent.of({task.name for task in tasks}) for name, tasks in plan.tasks.items())
    return min(plan.images, measured) * rounds / classes


def run_map_tests(
    subject: Subject,
    images: ImageSet,
    plan: MapTestPlan,
    training: Training | None,
    settings: BatchSettings,
    attempts: Stages,
    progress: Progress,
) -> MapTests:
    """Run each test; one that isn't applicable, or fails, is recorded with the reason.

    Args:
        images: those that were measured. training: of the network. settings: reference, seed, and the most images of a
            batch.
    """
    if not plan.images or not len(images):
        return MapTests()
    tested = read_images(subject, images, plan.images)
    plain = BatchSettings(capacity=settings.capacity, reference=settings.reference, seed=settings.seed)
    of_data = partial(data_randomization.data_randomization_test, training=training)
    results = MapTests()
    for name, infos, test in (
        ("max-sensitivity", max_sensitivity.TESTS, max_sensitivity.max_sensitivity_test),
        ("random logit", random_logit.TESTS, random_logit.random_logit_test),
        ("data randomization", data_randomization.TESTS, of_data),
    ):
        progress.step(f"{name} test")
        nothing: tuple[MethodTest, ...] = ()
        tests = attempts.run(f"{name} test", partial(test, subject, tested, plan.tasks[name], plain), nothing)
        results = MapTests(results.tests + tests, results.infos + (infos if tests else ()))
    return results
