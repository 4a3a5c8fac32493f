"""What a run will take, before it starts: passes, seconds and bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.bfloat16 import gains
from cnnvis_report.engine.devices import batch_size
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import RunFailed
from cnnvis_report.methods.tasks import DryRun, Task, dry_run_tasks
from cnnvis_report.pipeline.explaining.targets import ClassChoice
from cnnvis_report.pipeline.planning.metrics_budget import measured_images, randomization_passes
from cnnvis_report.pipeline.planning.pass_time import PassTime, measure_passes
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.map_tests import MapTestPlan, plan_tests
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import Keep

PagesSeconds = Callable[[Sequence[tuple[MethodInfo, tuple[int, ...]]], int, int], float]

NAMED = 3  # parts that take most of the time
NOTICED = 0.1  # of the whole: a part that takes less is not named
WORTH_A_CHECK = 8  # images; what checking bfloat16 on one of them takes comes back on the others


@dataclass(frozen=True)
class Plan:
    """What will run.

    batch: images at a time. images: how many in all. classes: how many of each are explained, at most.
    reduced: tasks that run in bfloat16, if it keeps their ranking of pixels.
    bytes: of the arrays on disk. measured: ids of the images whose maps are measured, by `metrics` forward passes each.
    reduced_metrics: whether those passes are made in bfloat16, if it keeps the metrics' values.
    randomization: forward and backward passes of the randomization test. tests: other tests of maps; None where nothing
    is measured. inspection: forward and backward passes of it. pages: seconds for writing them.
    """

    dry_run: DryRun
    batch: int
    images: int
    classes: int
    time: PassTime
    reduced: tuple[Task, ...]
    bytes: int
    measured: frozenset[str] = frozenset()
    metrics: float = 0.0
    reduced_metrics: bool = False
    randomization: tuple[float, float] = (0.0, 0.0)
    tests: MapTestPlan | None = None
    inspection: tuple[float, float] = (0.0, 0.0)
    pages: float = 0.0

    @property
    def shares(self) -> tuple[float, ...]:
        """What part of an image's time each task takes, by its passes, and last its metrics; none takes nothing."""
        metrics = self._measuring / max(self.images, 1)
        seconds = [*(self.time.of(*cost) + 1e-6 for cost in self.dry_run.costs), metrics + 1e-6]
        return tuple(part / sum(seconds) for part in seconds)

    @property
    def seconds(self) -> float:
        """The estimate for all images, with metrics and tests: passes times the measured time of one."""
        return self.images * self.an_image + self.evaluation

    @property
    def whole(self) -> float:
        """Seconds from here to the report: images, inspection and pages."""
        return self.seconds + self.time.of(*self.inspection) + self.pages

    @property
    def maps(self) -> list[tuple[MethodInfo, tuple[int, ...]]]:
        """Each task's method, and the shape of its map of one class."""
        return [(task.method.info, s) for task, s in zip(self.dry_run.tasks, self.dry_run.shapes, strict=True)]

    @property
    def parts(self) -> dict[str, float]:
        """Seconds of what the whole is made of, by method or other work; the pass that all methods share aside."""
        parts = {
            "metrics": self._measuring,
            "tests of maps": self.time.of(*self.again),
            "inspection": self.time.of(*self.inspection),
            "pages": self.pages,
        }
        for task, (forward, backward) in zip(self.dry_run.tasks, self.dry_run.costs, strict=True):
            reduced = task in self.reduced
            seconds = self.time.of(forward, backward, reduced=reduced)
            parts[task.name] = parts.get(task.name, 0.0) + self.images * seconds
        return parts

    @property
    def largest_shares(self) -> dict[str, float]:
        """The few parts that take most of the whole, the largest first, and which share of it each takes."""
        parts = sorted(self.parts.items(), key=lambda part: -part[1])[:NAMED]
        return {name: seconds / self.whole for name, seconds in parts if seconds >= NOTICED * self.whole > 0}

    @property
    def evaluation(self) -> float:
        """Seconds for metrics and for tests that explain again."""
        return self._measuring + self.time.of(*self.again)

    @property
    def _measuring(self) -> float:
        """Seconds of the metrics' own passes."""
        return len(self.measured) * self.time.of(self.metrics, 0, reduced=self.reduced_metrics)

    @property
    def again(self) -> tuple[float, float]:
        """Forward and backward passes of all tests that explain again, the randomization test among them."""
        if self.tests is None:
            return self.randomization
        forward, backward = self.tests.passes(self.dry_run, self.classes, len(self.measured))
        return self.randomization[0] + forward, self.randomization[1] + backward

    @property
    def an_image(self) -> float:
        """Seconds that an image's passes will take."""
        costs = zip(self.dry_run.tasks, self.dry_run.costs, strict=True)
        gained = self.time.forward - self.time.reduced
        saved = sum(forward * gained for task, (forward, _) in costs if task in self.reduced)
        return self.time.of(self.dry_run.forward, self.dry_run.backward) - saved


def plan_setups(setups: Sequence[Setup], pages: PagesSeconds) -> list[Plan]:
    """What runs of one network and image set will take: tasks are gone through without a pass, and one is measured.

    Args:
        pages: seconds for the pages: of each method's card and the shape of its map, of images, and classes of each.

    Raises:
        RunFailed: not one of the methods is applicable to the network, or a single image doesn't fit into memory.
    """
    subject, machine, images = setups[0].network.subject, setups[0].config.machine, setups[0].images
    first = subject.take_first_pass()
    batch = max(1, min(batch_size(subject, subject.device, machine.batch_size), len(images)))
    dry_runs: dict[str, DryRun] = {}  # several setups may come to the same
    planned = []
    for setup in setups:
        tasks, classes = setup.maps.tasks, _most_classes(subject, images, setup.maps.choice, first.logits[0])
        key = repr(([(task.name, task.options) for task in tasks], classes))
        if key not in dry_runs:
            tape = DryRunTape(subject, first, capacity=batch, seed=machine.seed)
            dry_runs[key] = _dry_run(tape, tasks, classes)
        planned.append((setup, dry_runs[key], len(classes)))
    inputs = first.images.expand(batch, -1, -1, -1)
    del first, tape  # the graph of a whole pass
    in_bfloat16 = any(_reduced(setup, dry_run) or _reduced_metrics(setup) for setup, dry_run, _ in planned)
    time = measure_passes(subject, inputs, reduced=in_bfloat16)
    plans = [_plan(setup, dry_run, classes, batch, time) for setup, dry_run, classes in planned]
    of_pages = {id(plan.dry_run): pages(plan.maps, plan.images, plan.classes) for plan in plans}
    return [replace(plan, pages=of_pages[id(plan.dry_run)]) for plan in plans]


def _dry_run(tape: DryRunTape, tasks: Sequence[Task], classes: Sequence[int]) -> DryRun:
    """The tasks, gone through without a pass."""
    dry_run = dry_run_tasks(tasks, tape, torch.tensor([classes], device=tape.subject.device))
    if dry_run.not_applicable and not dry_run.tasks:
        reasons = "; ".join(f"{task.name}: {reason}" for task, reason in dry_run.not_applicable)
        raise RunFailed(f"None of the methods is applicable to {tape.subject.name}. {reasons}.")
    return dry_run


def _plan(setup: Setup, dry_run: DryRun, classes: int, batch: int, time: PassTime) -> Plan:
    """The plan of one run, its tasks gone through and its passes measured."""
    images, metrics = setup.images, setup.maps.metrics
    measured = measured_images(metrics, images)
    return Plan(
        dry_run=dry_run,
        batch=batch,
        images=len(images),
        classes=classes,
        time=time,
        reduced=_reduced(setup, dry_run),
        bytes=len(images) * _image_bytes(setup, dry_run, classes),
        measured=measured,
        metrics=metrics.passes(len(dry_run.tasks)) if metrics else 0.0,
        reduced_metrics=_reduced_metrics(setup),
        randomization=randomization_passes(dry_run, classes, metrics, len(measured)) if metrics else (0, 0),
        tests=plan_tests(dry_run, classes, metrics, setup.network.model.training) if metrics else None,
        inspection=_inspection_passes(setup),
    )


def _most_classes(subject: Subject, images: ImageSet, choice: ClassChoice, logits: Tensor) -> list[int]:
    """As many classes as are explained of any image, chosen by the logits [classes] of one."""
    labels = max((item.labels for item in images), key=len, default=())
    if subject.meaning.kind.may_be_absent:  # any class may have a region or a box in some image
        logits = torch.ones_like(logits)
    classes = choice.choose(logits, labels, subject.meaning) or [int(logits.argmax())]
    if not choice.label:
        return classes
    labeled = sum(label.index is not None for label in labels)  # which other images may have beside what is predicted
    most = max(len(classes), choice.top + labeled + len(choice.named))
    return [*classes, *(index for index in range(len(logits)) if index not in classes)][:most]


def _inspection_passes(setup: Setup) -> tuple[float, float]:
    """Forward and backward passes of an inspection; its classes are those named, or no more than there are images."""
    plan, images = setup.inspection, len(setup.images)
    if plan is None:
        return 0.0, 0.0
    classes = len(plan.objectives) + len(plan.units) or images
    return plan.budget.passes(images, min(classes, len(setup.network.subject.classes)))


def _image_bytes(setup: Setup, dry_run: DryRun, classes: int) -> int:
    """Of one image's arrays as they are kept, before compression: its maps and the picture."""
    whole = setup.config.storage.keep == Keep.FULL
    maps = [
        4 * prod(shape) if whole else (5 if task.method.info.color else 2) * prod(shape[-2:])  # a half, three colors
        for task, shape in zip(dry_run.tasks, dry_run.shapes, strict=True)
    ]
    return sum(maps) * classes + prod(setup.network.subject.size) * 3


def _reduced(setup: Setup, dry_run: DryRun) -> tuple[Task, ...]:
    """Tasks that take forward passes of their own and none back, where bfloat16 is wanted or pays."""
    if not _worth_bfloat16(setup, len(setup.images)):
        return ()
    costs = zip(dry_run.tasks, dry_run.costs, strict=True)
    return tuple(task for task, (forward, backward) in costs if forward > 0 and backward == 0)


def _reduced_metrics(setup: Setup) -> bool:
    """Whether the metrics' passes are to be made in bfloat16."""
    measured = measured_images(setup.maps.metrics, setup.images)
    return bool(measured) and _worth_bfloat16(setup, len(measured))


def _worth_bfloat16(setup: Setup, images: int) -> bool:
    """Whether bfloat16 is wanted or, checked on one of so many images, pays."""
    subject, precision = setup.network.subject, setup.config.explain.precision
    pays = images >= WORTH_A_CHECK and gains(subject.device, subject.work)
    return precision == "bfloat16" or (precision == "auto" and pays)
