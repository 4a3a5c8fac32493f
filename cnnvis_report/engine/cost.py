"""What each method costs: passes and seconds, with what it states about its maps.

A pass that several methods share is charged to all of them in equal parts, whichever asked first.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnvis_report.engine.passes import PassClock
from cnnvis_report.records.images import Note

Stated = Note | Tensor
CPU = torch.device("cpu")


@dataclass(eq=False)
class MethodCost:
    """What one method cost. shared: keys of passes that it used; forward, backward: passes of its own alone."""

    forward: float = 0.0
    backward: float = 0.0
    seconds: float = 0.0
    shared: list[Hashable] = field(default_factory=list)
    notes: dict[str, Stated] = field(default_factory=dict)


class Costs:
    """The costs of one batch, method by method; own_forward, own_backward: passes that nobody can share.

    Args:
        device: that the passes run on.
    """

    def __init__(self, device: torch.device = CPU) -> None:
        self.wait = waiting_for(device)  # returns when the device has done what it was asked, so that clocks are true
        self.clock = PassClock(device)
        self._open: MethodCost | None = None
        self._seconds: dict[Hashable, float] = {}
        self._users: dict[Hashable, set[MethodCost]] = defaultdict(set)
        self.own_forward = 0.0
        self.own_backward = 0.0

    @contextmanager
    def measure(self) -> Iterator[MethodCost]:
        """Charge everything that runs while it is open to one method."""
        cost, outer = MethodCost(), self._open
        self._open = cost
        start = self._now()
        try:
            yield cost
        finally:
            cost.seconds += self._now() - start
            self._open = outer

    @contextmanager
    def running(
        self, key: Hashable, *, forward: float = 0.0, backward: float = 0.0, kind: Hashable = None, images: float = 1.0
    ) -> Iterator[None]:
        """Count and time a pass that others may share under `key`; None charges it to the open method alone.

        Args:
            forward, backward: passes of the batch. kind, images: of what is timed, so many whole passes of an image.
        """
        if key is None:
            self.own_forward += forward
            self.own_backward += backward
            if self._open is not None:
                self._open.forward += forward
                self._open.backward += backward
            with self.clock.timing(kind, images):
                yield
            return
        start = self._now()
        with self.clock.timing(kind, images):
            yield
        self._seconds[key] = self._now() - start
        if self._open is not None:
            self._open.seconds -= self._seconds[key]

    def use(self, key: Hashable) -> None:
        """The open method makes use of a shared pass."""
        if self._open is not None and key not in self._open.shared:
            self._open.shared.append(key)
            self._users[key].add(self._open)

    def seconds(self, cost: MethodCost) -> float:
        """What a method took, its part of the shared passes included."""
        return cost.seconds + sum(self._seconds[key] / len(self._users[key]) for key in cost.shared)

    def note(self, **stated: Stated) -> None:
        """Keep what the open method states."""
        if self._open is not None:
            self._open.notes.update(stated)

    def _now(self) -> float:
        self.wait()
        return time.perf_counter()


def waiting_for(device: torch.device) -> Callable[[], None]:
    """What returns when the device has done what it was asked."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    if device.type == "mps":
        return torch.mps.synchronize
    return lambda: None
