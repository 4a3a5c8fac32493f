"""What a run will take, before it starts: passes, seconds and bytes."""

import time
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.bfloat16 import gains
from cnnvis_report.engine.devices import batch_size, is_out_of_memory, too_large
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.passes import BACKWARD, FORWARD, PassTimes
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable, RunFailed
from cnnvis_report.methods.tasks import DryRun, Task, dry_run_tasks
from cnnvis_report.pipeline.explain_batch import BatchSettings, open_batch
from cnnvis_report.pipeline.metrics_budget import measured_images, randomization_passes
from cnnvis_report.pipeline.setup import MapSetup, NetworkSetup, Setup
from cnnvis_report.pipeline.stages.map_tests import MapTestPlan, plan_tests
from cnnvis_report.pipeline.targets import ClassChoice

# The first passes of a batch of one size set up kernels and memory, and may take five times as long as later ones.
MEASURED_FOR = 1.5  # seconds
MOST_ROUNDS = 8
WORTH_A_CHECK = 8  # images; what checking bfloat16 on one of them takes comes back on the others


@dataclass(frozen=True)
class PassTime:
    """Seconds an image that one forward and one backward pass to the pixels take, and a forward pass in bfloat16."""

    forward: float
    backward: float
    reduced: float

    def of(self, forward: float, backward: float, *, reduced: bool = False) -> float:
        """Seconds of so many passes, the forward ones in bfloat16 where they are `reduced`."""
        return forward * (self.reduced if reduced else self.forward) + backward * self.backward

    def as_passes(self) -> PassTimes:
        """The times alone, to be bettered by those of the run's own passes."""
        return PassTimes(best={FORWARD: self.forward, BACKWARD: self.backward})


@dataclass(frozen=True)
class Plan:
    """What will run.

    batch: images at a time. images: how many in all. classes: how many of each are explained, at most.
    reduced: tasks that run in bfloat16, if it keeps their ranking of pixels.
    bytes: of the arrays on disk. measured: ids of the images whose maps are measured, by `metrics` forward passes each.
    reduced_metrics: whether those passes are made in bfloat16, if it keeps the metrics' values.
    randomization: forward and backward passes of the randomization test. tests: other tests of maps; None where nothing
    is measured.
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

    @property
    def shares(self) -> tuple[float, ...]:
        """What part of an image's time each task takes, by its passes, and last its metrics; none takes nothing."""
        metrics = self._measuring / max(self.images, 1)
        seconds = [*(self.time.of(*cost) + 1e-6 for cost in self.dry_run.costs), metrics + 1e-6]
        return tuple(part / sum(seconds) for part in seconds)

    @property
    def seconds(self) -> float:
        """The estimate for all images: passes times the measured time of one."""
        return self.images * self.an_image + self.evaluation

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


def plan_run(setup: Setup) -> Plan:
    """What a run will take.

    Raises:
        RunFailed: not one of the methods is applicable to the network, or a single image doesn't fit into memory.
    """
    precision, machine = setup.config.explain.precision, setup.config.machine
    return make_plan(
        setup.network, setup.images, setup.maps, precision=precision, size=machine.batch_size, seed=machine.seed
    )


def make_plan(
    network: NetworkSetup, images: ImageSet, maps: MapSetup, *, precision: str, size: int | None, seed: int
) -> Plan:
    """Go through the tasks without a pass, and measure one.

    Args:
        precision: "auto", "float32" or "bfloat16". size: images at a time.

    Raises:
        RunFailed: none of the methods is applicable to the network, or a single image doesn't fit into memory.
    """
    subject, metrics = network.subject, maps.metrics
    first = subject.take_first_pass()
    classes = _most_classes(subject, images, maps.choice, first.logits[0])
    batch = max(1, min(batch_size(subject, subject.device, size), len(images)))
    targets = torch.tensor([classes], device=subject.device)
    dry_run = dry_run_tasks(maps.tasks, DryRunTape(subject, first, capacity=batch, seed=seed), targets)
    _check_applicable(dry_run, subject.name)
    inputs = first.images.expand(batch, -1, -1, -1)
    del first  # the graph of a whole pass
    reduced, measured = _reduced(subject, len(images), dry_run, precision), measured_images(metrics, images)
    reduced_metrics = bool(measured) and _worth_bfloat16(subject, len(measured), precision)
    return Plan(
        dry_run=dry_run,
        batch=batch,
        images=len(images),
        classes=len(classes),
        time=_pass_time(subject, inputs, reduced=bool(reduced) or reduced_metrics),
        reduced=reduced,
        bytes=len(images) * _image_bytes(dry_run, len(classes), tuple(inputs.shape[2:])),
        measured=measured,
        metrics=metrics.passes(len(dry_run.tasks)) if metrics else 0.0,
        reduced_metrics=reduced_metrics,
        randomization=randomization_passes(dry_run, len(classes), metrics, len(measured)) if metrics else (0, 0),
        tests=plan_tests(dry_run, len(classes), metrics, network.model.training) if metrics else None,
    )


def _most_classes(subject: Subject, images: ImageSet, choice: ClassChoice, logits: Tensor) -> list[int]:
    """As many classes as are explained of any image, chosen by the logits [classes] of one."""
    labels = max((item.labels for item in images), key=len, default=())
    if subject.meaning.kind.may_be_absent:  # any class may have a region or a box in some image
        logits = torch.ones_like(logits)
    return choice.choose(logits, labels, subject.meaning) or [int(logits.argmax())]


def _check_applicable(dry_run: DryRun, name: str) -> None:
    if dry_run.not_applicable and not dry_run.tasks:
        reasons = "; ".join(f"{task.name}: {reason}" for task, reason in dry_run.not_applicable)
        raise RunFailed(f"None of the methods is applicable to {name}. {reasons}.")


def _image_bytes(dry_run: DryRun, classes: int, size: tuple[int, ...]) -> int:
    """Of one image's arrays: its maps and the picture of this (height, width)."""
    return sum(4 * prod(shape) for shape in dry_run.shapes) * classes + prod(size) * 3


def _reduced(subject: Subject, images: int, dry_run: DryRun, precision: str) -> tuple[Task, ...]:
    """Tasks that take forward passes of their own and none back, where bfloat16 is wanted or pays."""
    if not _worth_bfloat16(subject, images, precision):
        return ()
    costs = zip(dry_run.tasks, dry_run.costs, strict=True)
    return tuple(task for task, (forward, backward) in costs if forward > 0 and backward == 0)


def _worth_bfloat16(subject: Subject, images: int, precision: str) -> bool:
    """Whether bfloat16 is wanted or, checked on one of so many images, pays."""
    pays = images >= WORTH_A_CHECK and gains(subject.device, subject.work)
    return precision == "bfloat16" or (precision == "auto" and pays)


def _pass_time(subject: Subject, images: torch.Tensor, *, reduced: bool) -> PassTime:
    """One plain forward and backward pass of a batch, or of one image where a batch doesn't fit.

    Raises:
        RunFailed: a single image doesn't fit into memory.
    """
    try:
        return _measure(subject, images, reduced=reduced)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(images) == 1:
            raise too_large("the first") from error
    return _measure(subject, images[:1], reduced=reduced)


def _measure(subject: Subject, images: torch.Tensor, *, reduced: bool) -> PassTime:
    """The shortest of several passes."""
    target = torch.zeros(len(images), dtype=torch.long, device=images.device)
    best = PassTime(float("inf"), float("inf"), float("inf"))
    begin = time.perf_counter()
    for done in range(MOST_ROUNDS):
        start = time.perf_counter()
        if done >= 2 and start - begin > MEASURED_FOR:
            break
        tape = open_batch(subject, images, BatchSettings())
        tape.costs.wait()
        middle = time.perf_counter()
        with suppress(NotApplicable):  # the methods that need it will say why
            _ = tape.gradients(target).pixels
        tape.costs.wait()
        end = time.perf_counter()
        if reduced:
            _reduced_pass(tape, images)
        last = time.perf_counter()
        best = PassTime(
            forward=min(best.forward, (middle - start) / len(images)),
            backward=min(best.backward, (end - middle) / len(images)),
            reduced=min(best.reduced, (last - end) / len(images)),
        )
    return best


def _reduced_pass(tape: Tape, images: torch.Tensor) -> None:
    """A forward pass in bfloat16; a network that refuses it will say so when it is checked."""
    try:
        with tape.reduced():
            tape.scores(images)
    except Exception as error:
        if is_out_of_memory(error):
            raise
    tape.costs.wait()
