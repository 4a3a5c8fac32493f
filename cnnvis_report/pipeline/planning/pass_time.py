"""How long one pass through the network takes, measured before a run."""

import time
from contextlib import suppress
from dataclasses import dataclass

import torch

from cnnvis_report.engine.devices import is_out_of_memory, too_large
from cnnvis_report.engine.passes import BACKWARD, FORWARD, PassTimes
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, open_batch

# The first passes of a batch of one size set up kernels and memory, and may take five times as long as later ones.
MEASURED_FOR = 1.5  # seconds
MOST_ROUNDS = 8


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


def measure_passes(subject: Subject, images: torch.Tensor, *, reduced: bool) -> PassTime:
    """Time plain forward and backward passes of a batch, or of one image where a batch doesn't fit.

    Args:
        reduced: whether a forward pass in bfloat16 is timed as well.

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
