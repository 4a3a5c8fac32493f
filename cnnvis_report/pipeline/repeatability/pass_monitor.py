"""Passes that a run makes anyhow, compared where they are over the same image: what the first comparison can't see.

At the start an image is compared alone, again, and among two others. That doesn't see noise that strikes rarely, what
only happens in larger batches or by what the neighbors hold, and a state that moves on slowly. Here these are seen:

- of the 1st, 2nd, 4th, 8th, … batch, two images alone (a pass over one image each), and the example;
- every image that is looked at again, for the views of the inside;
- the first image, once more at the end of the run (a pass over one image).

Not seen: noise that spares all these passes and draws from no generator that `random_draws` knows, and whatever is
smaller than rounding between batches of different sizes, 1e-4 of the range of the logits in float32.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.repeatability.check import (
    ROUNDING,
    Repeatability,
    compare,
    percent,
    plain_logits,
    relative_difference,
)

SAME = {torch.float64: 1e-11, torch.float32: 1e-5}  # of the range: passes over the same image of the same shape


@dataclass
class PassMonitor:
    """Compares passes of a run.

    subject: the network. first: the example and its logits alone; None where that can't be compared with anything.
    seconds: that its own passes have taken, which belong to no image.
    """

    subject: Subject
    first: tuple[Tensor, Tensor] | None = None

    def __post_init__(self) -> None:
        self.repeatability = Repeatability()
        self.drift = 0.0
        self.seconds = 0.0
        self._summaries: dict[str, bytes] = {}  # a tensor takes ten times the memory of its four numbers
        self._again: dict[str, float] = {}
        self._batches = self._before = 0
        # between batches of other sizes; of a network that works in another type within, as it shows
        self._rounding = 0.0 if self.first is None else ROUNDING.get(self.first[1].dtype, 1e-4)

    @classmethod
    def of(cls, subject: Subject, image: Tensor, alone: Tensor, passes: Repeatability) -> "PassMonitor":
        """Of a network whose passes over one image agreed so far; one that is known to be restless needs none."""
        return cls(subject, None if passes.again else (image, alone))

    def check_batch(self, ids: Sequence[str], images: Tensor, logits: Tensor) -> bool:
        """Compare a batch that is explained; whether its images influence each other, which nobody knew.

        From then on the network gets images one by one.
        """
        if self.first is None:
            return False
        self._summaries |= {id: _summary(row).numpy().tobytes() for id, row in zip(ids, logits, strict=True)}
        self._batches += 1
        if len(images) == 1 or self._batches & (self._batches - 1):
            return False
        start = time.perf_counter()
        result = next(filter(None, (self._compared(row, images, logits) for row in self._rows(images))), None)
        self.seconds += time.perf_counter() - start
        if result is None:
            return False
        self.repeatability, self._before = result, len(self._summaries) - len(images)
        self.subject.one_by_one = result.one_by_one
        self.first = None if result.again else self.first
        return result.one_by_one

    def _rows(self, images: Tensor) -> list[int]:
        """Which images of a batch are looked at alone; the example among them costs nothing."""
        assert self.first is not None
        middle, last = len(images) // 2, len(images) - 1
        known = [0] if torch.equal(images[:1], self.first[0]) else []
        return list(dict.fromkeys([*known, middle, last]))

    def _compared(self, row: int, images: Tensor, logits: Tensor) -> Repeatability | None:
        """What an image alone and among others have in common, where that isn't all."""
        assert self.first is not None
        image, among = images[row : row + 1], [logits]

        def batch() -> Tensor:
            return (among.pop() if among else plain_logits(self.subject, images))[row : row + 1]

        known = self.first[1] if torch.equal(image, self.first[0]) else None
        try:
            alone = plain_logits(self.subject, image) if known is None else known
        except Exception:  # images of no use alone are somebody else's to name
            return None
        result = compare(self.subject, image, alone, batch, size=len(images), repeated=known is None)
        if result.again or result.among:
            return result
        self._rounding = max(self._rounding, 2 * relative_difference(alone, logits[row : row + 1]))
        return None

    def check_again(self, ids: Sequence[str], logits: Tensor) -> None:
        """Compare images that are explained with a later pass over them."""
        for id, row in zip(ids, logits, strict=True):
            if self.first is not None and id in self._summaries:
                now = _summary(row)
                before = torch.frombuffer(bytearray(self._summaries[id]), dtype=now.dtype)
                off = relative_difference(before[None], now[None])
                self._again[id] = max(off if off > self._rounding else 0.0, self._again.get(id, 0.0))

    def close(self) -> None:
        """Look at the first image once more."""
        if self.first is None:
            return
        image, alone = self.first
        try:
            off = relative_difference(alone, plain_logits(self.subject, image))
        except Exception:  # a network may raise anything
            return
        self.drift = off if off > SAME.get(image.dtype, 1e-2) else 0.0

    def notices(self) -> list[str]:
        """What a user has to know, a sentence each."""
        name = self.subject.name
        notices = [*self.repeatability.notices(name)]
        if self.repeatability.among and self._before:
            notices.append(
                f"Before that showed, {self._before} images were explained together: start anew with --batch-size 1."
            )
        later = [off for off in self._again.values() if off]
        if later:
            notices.append(
                f"{name} gave {len(later)} of {len(self._again)} images other logits in a later pass, by up to "
                f"{percent(max(later))} of their range (noise that strikes rarely, or neighbors that matter); "
                f"their maps are of a single pass."
            )
        if self.drift and not self.repeatability.again:
            notices.append(
                f"{name} gave the first image other logits at the end of the run than at its start, by "
                f"{percent(self.drift)} of their range: it has a state that moves on, and maps depend on the order."
            )
        return notices


def _summary(row: Tensor) -> Tensor:
    """[4] of a row of logits: enough to see whether another is the same, for very many images."""
    row = row.detach().cpu().to(row.dtype if row.dtype == torch.float64 else torch.float32)
    weights = torch.linspace(-1, 1, len(row), dtype=row.dtype)
    return torch.stack([row.max(), row.min(), row.mean(), (row * weights).mean()])
