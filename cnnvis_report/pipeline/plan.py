"""What a run will take, before it starts: passes, seconds and bytes."""

import time
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import torch

from cnnvis_report.engine.bfloat16 import gains
from cnnvis_report.engine.devices import batch_size, is_out_of_memory, too_large
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.passes import BACKWARD, FORWARD, PassTimes
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable, RunFailed
from cnnvis_report.methods.tasks import DryRun, Task, dry_run_tasks
from cnnvis_report.pipeline.explain_batch import BatchSettings, open_batch
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.evaluation import forward_passes, measured_images, randomized_passes

# The first passes of a batch of one size set up kernels and memory, and may take five times as long as later ones.
MEASURED_FOR = 1.5  # seconds
MOST_ROUNDS = 8
WORTH_A_TRIAL = 8  # images; what trying one of them takes comes back on the others


@dataclass(frozen=True)
class PassTime:
    """Seconds an image that one forward and one backward pass to the pixels take, and a forward pass in bfloat16."""

    forward: float
    backward: float
    reduced: float

    def of(self, forward: float, backward: float) -> float:
        """Seconds of so many passes."""
        return forward * self.forward + backward * self.backward

    def as_passes(self) -> PassTimes:
        """The times alone, to be bettered by those of the run's own passes."""
        return PassTimes(best={FORWARD: self.forward, BACKWARD: self.backward})


@dataclass(frozen=True)
class Plan:
    """What will run.

    batch: images at a time. images: how many in all. classes: how many of each are explained, at most.
    reduced: tasks that run in bfloat16, if it keeps the order of their pixels.
    bytes: of the arrays on disk. measured: ids of the images whose maps are measured, by `measuring` forward passes.
    randomizing: forward and backward passes of the cascading randomization.
    """

    dry_run: DryRun
    batch: int
    images: int
    classes: int
    time: PassTime
    reduced: tuple[Task, ...]
    bytes: int
    measured: frozenset[str] = frozenset()
    measuring: float = 0.0
    randomizing: tuple[float, float] = (0.0, 0.0)

    @property
    def shares(self) -> tuple[float, ...]:
        """What part of an image's time each task takes, by its passes, and last the measuring; none takes nothing."""
        measuring = self.measuring * len(self.measured) / max(self.images, 1)
        spent = [self.time.of(*cost) + 1e-6 for cost in (*self.dry_run.costs, (measuring, 0.0))]
        return tuple(each / sum(spent) for each in spent)

    @property
    def seconds(self) -> float:
        """The estimate for all images: passes times the measured time of one."""
        measuring = len(self.measured) * self.time.of(self.measuring, 0)
        return self.images * self.an_image + measuring + self.time.of(*self.randomizing)

    @property
    def an_image(self) -> float:
        """Seconds that an image's passes will take."""
        spent = zip(self.dry_run.tasks, self.dry_run.costs, strict=True)
        gained = self.time.forward - self.time.reduced
        saved = sum(forward * gained for task, (forward, _) in spent if task in self.reduced)
        return self.time.of(self.dry_run.forward, self.dry_run.backward) - saved


def make_plan(study: Study) -> Plan:
    """Rehearse the tasks on the example and measure one pass.

    Raises:
        RunFailed: not one of the methods is defined for the network, or a single image doesn't fit into memory.
    """
    first = study.subject.take_first_pass()
    labels = max((item.labels for item in study.images), key=len, default=())
    classes = study.choice.choose(first.logits[0], labels, study.subject.meaning) or [int(first.logits[0].argmax())]
    targets = torch.tensor([classes], device=first.images.device)
    batch = max(1, min(batch_size(study.subject, study.device, study.batch_size), len(study.images)))
    dry_run = dry_run_tasks(study.tasks, DryRunTape(study.subject, first, capacity=batch, seed=study.seed), targets)
    if study.tasks and not dry_run.tasks:
        reasons = "; ".join(f"{task.name}: {reason}" for task, reason in dry_run.refused)
        raise RunFailed(f"None of the methods is defined for {study.subject.name}. {reasons}.")
    images = first.images.expand(batch, -1, -1, -1)
    del first  # the graph of a whole pass
    reduced = _reduced(study, dry_run)
    try:
        time = _measure(study, images, reduced=bool(reduced))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if batch == 1:
            raise too_large("the first") from error
        time = _measure(study, images[:1], reduced=bool(reduced))
    measured = measured_images(study.budget, study.images)
    size = sum(4 * prod(shape) for shape in dry_run.shapes) * len(classes) + prod(images.shape[2:]) * 3
    return Plan(
        dry_run=dry_run,
        batch=batch,
        images=len(study.images),
        classes=len(classes),
        time=time,
        reduced=reduced,
        bytes=size * len(study.images),
        measured=measured,
        measuring=forward_passes(study.budget, len(dry_run.tasks)) if study.budget else 0.0,
        randomizing=randomized_passes(dry_run, len(classes), study.budget, len(measured)) if study.budget else (0, 0),
    )


def _reduced(study: Study, dry_run: DryRun) -> tuple[Task, ...]:
    """Tasks that take forward passes of their own and none back, where bfloat16 is wanted or pays."""
    asked = study.precision == "bfloat16"
    if not asked and (
        study.precision == "float32" or len(study.images) < WORTH_A_TRIAL or not gains(study.device, study.subject.work)
    ):
        return ()
    spent = zip(dry_run.tasks, dry_run.costs, strict=True)
    return tuple(task for task, (forward, backward) in spent if forward > 0 and backward == 0)


def _measure(study: Study, images: torch.Tensor, *, reduced: bool) -> PassTime:
    """One plain forward and backward pass: the shortest of several."""
    target = torch.zeros(len(images), dtype=torch.long, device=images.device)
    best = PassTime(float("inf"), float("inf"), float("inf"))
    begin = time.perf_counter()
    for done in range(MOST_ROUNDS):
        start = time.perf_counter()
        if done >= 2 and start - begin > MEASURED_FOR:
            break
        tape = open_batch(study.subject, images, BatchSettings())
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
    """A forward pass in bfloat16; a network that refuses it will say so when it is tried."""
    try:
        with tape.reduced():
            tape.scores(images)
    except Exception as error:
        if is_out_of_memory(error):
            raise
    tape.costs.wait()
