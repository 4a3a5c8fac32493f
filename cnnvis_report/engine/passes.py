"""How long the passes of a run take, kind by kind, and so what all of them take at least.

A single measurement says as much of a busy machine as of the network. So every pass of the run is timed, and the
shortest of each kind stands for all of its kind: no run can be faster than that.
"""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

FORWARD, BACKWARD = "forward", "backward"  # recorded; back to the pixels, by whichever rule
FORWARD_ONLY, REDUCED = (
    "forward only",
    "bfloat16",
)  # forward passes that nothing is recorded of, in float32 and in bfloat16


@dataclass
class PassTimes:
    """How many passes of each kind there were, in images, what they took, and the shortest time of one an image."""

    amounts: dict[Hashable, float] = field(default_factory=dict)
    seconds: dict[Hashable, float] = field(default_factory=dict)
    best: dict[Hashable, float] = field(default_factory=dict)

    def add(self, kind: Hashable, images: float, seconds: float) -> None:
        """One pass of so many images."""
        self.amounts[kind] = self.amounts.get(kind, 0.0) + images
        self.seconds[kind] = self.seconds.get(kind, 0.0) + seconds
        self.offer(kind, seconds / images)

    def offer(self, kind: Hashable, seconds: float) -> None:
        """What one image took in a pass of that kind that isn't one of the run's."""
        self.best[kind] = min(self.best.get(kind, seconds), seconds)

    def merge(self, other: "PassTimes") -> None:
        """Count the passes of another batch too."""
        for kind, seconds in other.best.items():
            self.offer(kind, seconds)
        for kind, images in other.amounts.items():
            self.amounts[kind] = self.amounts.get(kind, 0.0) + images
            self.seconds[kind] = self.seconds.get(kind, 0.0) + other.seconds[kind]

    def mean(self, kind: Hashable) -> float | None:
        """Seconds an image that a pass of the kind took; None where there was none."""
        return self.seconds[kind] / self.amounts[kind] if kind in self.amounts else None

    @property
    def bound(self) -> float:
        """Seconds that all passes take at least: each as short as the shortest of its kind."""
        return sum(images * self.best[kind] for kind, images in self.amounts.items())


class PassClock:
    """Times passes without making the device wait.

    Args:
        device: a CPU's passes are over when they return; a CUDA device keeps its own time. Elsewhere only passes that
            are waited for anyway are timed.
    """

    def __init__(self, device: torch.device) -> None:
        marks: dict[str, Callable[[], Any]] = {"cpu": time.perf_counter, "cuda": partial(_event, device)}
        self._mark = marks.get(device.type)
        self._open: list[bool] = []
        self._waiting: list[tuple[Hashable, float, Any, Any]] = []
        self._times = PassTimes()

    @contextmanager
    def timing(self, kind: Hashable, images: float) -> Iterator[None]:
        """One pass; where another runs within it, the inner one alone is timed. A kind of None isn't."""
        if kind is None or self._mark is None or not images:
            yield
            return
        if self._open:
            self._open[-1] = False
        self._open.append(True)
        start = self._mark()
        try:
            yield
            if self._open[-1]:
                self._waiting.append((kind, images, start, self._mark()))
        finally:
            self._open.pop()

    def times(self) -> PassTimes:
        """Of all passes so far; the device must have done what it was asked."""
        for kind, images, start, end in self._waiting:
            seconds = end - start if isinstance(end, float) else start.elapsed_time(end) / 1000
            self._times.add(kind, images, seconds)
        self._waiting.clear()
        return self._times


def _event(device: torch.device) -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device))
    return event
