"""What a run will take, before it starts: passes, seconds and bytes."""

import time
from dataclasses import dataclass
from math import prod

import torch

from cnnvis_report.errors import RunFailed
from cnnvis_report.pipeline.devices import batch_size, is_out_of_memory, too_large
from cnnvis_report.pipeline.evaluation import forward_passes, measured_images
from cnnvis_report.pipeline.rehearsal import Rehearsal
from cnnvis_report.pipeline.study import Study
from cnnvis_report.pipeline.tasks import Rehearsed, rehearse
from cnnvis_report.tape import Tape

# The first passes of a batch of one size set up kernels and memory, and may take five times as long as later ones.
MEASURED_FOR = 1.5  # seconds
MOST_ROUNDS = 8


@dataclass(frozen=True)
class PassTime:
    """Seconds an image that one forward and one backward pass to the pixels take."""

    forward: float
    backward: float

    def of(self, forward: float, backward: float) -> float:
        """Seconds of so many passes."""
        return forward * self.forward + backward * self.backward


@dataclass(frozen=True)
class Plan:
    """What will run.

    batch: images at a time. images: how many in all. classes: how many of each are explained, at most.
    bytes: of the arrays on disk. measured: ids of the images whose maps are measured, by `measuring` forward passes.
    """

    rehearsed: Rehearsed
    batch: int
    images: int
    classes: int
    time: PassTime
    bytes: int
    measured: frozenset[str] = frozenset()
    measuring: float = 0.0

    @property
    def shares(self) -> tuple[float, ...]:
        """What part of an image's time each task takes, by its passes, and last the measuring; none takes nothing."""
        measuring = self.measuring * len(self.measured) / max(self.images, 1)
        spent = [self.time.of(*cost) + 1e-6 for cost in (*self.rehearsed.costs, (measuring, 0.0))]
        return tuple(each / sum(spent) for each in spent)

    @property
    def seconds(self) -> float:
        """The estimate for all images: passes times the measured time of one."""
        explaining = self.images * self.time.of(self.rehearsed.forward, self.rehearsed.backward)
        return explaining + len(self.measured) * self.time.of(self.measuring, 0)


def make_plan(study: Study) -> Plan:
    """Rehearse the tasks on the example and measure one pass.

    Raises:
        RunFailed: not one of the methods is defined for the network, or a single image doesn't fit into memory.
    """
    first = study.subject.take_first_pass()
    label = next((item.label for item in study.images if item.label), None)
    classes = study.choice.choose(first.logits[0], label) or [int(first.logits[0].argmax())]
    targets = torch.tensor([classes], device=first.images.device)
    batch = min(batch_size(study.subject, study.device, study.batch_size), len(study.images))
    rehearsed = rehearse(study.tasks, Rehearsal(study.subject, first, capacity=batch, seed=study.seed), targets)
    if not rehearsed.tasks:
        reasons = "; ".join(f"{task.name}: {reason}" for task, reason in rehearsed.refused)
        raise RunFailed(f"None of the methods is defined for {study.subject.name}. {reasons}.")
    images = first.images.expand(batch, -1, -1, -1)
    del first  # the graph of a whole pass
    try:
        time = _measure(study, images)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if batch == 1:
            raise too_large("the first") from error
        time = _measure(study, images[:1])
    size = sum(4 * prod(shape) for shape in rehearsed.shapes) * len(classes) + prod(images.shape[2:]) * 3
    return Plan(
        rehearsed=rehearsed,
        batch=batch,
        images=len(study.images),
        classes=len(classes),
        time=time,
        bytes=size * len(study.images),
        measured=measured_images(study.budget, study.images),
        measuring=forward_passes(study.budget, len(rehearsed.tasks)) if study.budget else 0.0,
    )


def _measure(study: Study, images: torch.Tensor) -> PassTime:
    """One plain forward and backward pass: the shortest of several."""
    target = torch.zeros(len(images), dtype=torch.long, device=images.device)
    best = PassTime(float("inf"), float("inf"))
    begin = time.perf_counter()
    for done in range(MOST_ROUNDS):
        start = time.perf_counter()
        if done >= 2 and start - begin > MEASURED_FOR:
            break
        tape = Tape(study.subject, images)
        tape.ledger.wait()
        middle = time.perf_counter()
        _ = tape.gradients(target).pixels
        tape.ledger.wait()
        end = time.perf_counter()
        took = PassTime((middle - start) / len(images), (end - middle) / len(images))
        best = PassTime(min(best.forward, took.forward), min(best.backward, took.backward))
    return best
