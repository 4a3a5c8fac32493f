"""Which channels of a network do any work: statistics over a set that streams by."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLES = 4096  # positions from which likeness of channels is judged
ALIKE = 0.99
ALWAYS = 0.999


@dataclass(frozen=True)
class ChannelStats:
    """What the channels of a layer did over a set, each [K].

    highest, mean: of the activations. active: the share of positions above 0.
    duplicate_of: a channel with a lower index that this one goes with (correlation of at least 0.99), or -1.
    """

    highest: Tensor
    mean: Tensor
    active: Tensor
    duplicate_of: Tensor

    @property
    def dead(self) -> Tensor:
        """[K]: whether a channel was never above 0."""
        return self.highest <= 0

    @property
    def saturated(self) -> Tensor:
        """[K]: whether a channel was above 0 nearly everywhere: nothing is switched by it."""
        return self.active >= ALWAYS


class ChannelStatsCollector:
    """ChannelStats of the channels of one layer; memory doesn't grow with the set.

    Args:
        images: how many will come; so many positions are sampled of each that 4096 come together at most.
        seed: of the choice of positions.
    """

    def __init__(self, images: int, seed: int = 0) -> None:
        self._per_image = max(2, SAMPLES // max(images, 1))
        self._left = SAMPLES
        self._generator = torch.Generator().manual_seed(seed)
        self._highest: Tensor | None = None
        self._sum = torch.zeros(())
        self._above = torch.zeros(())
        self._count = 0
        self._samples: list[Tensor] = []

    def add(self, values: Tensor) -> None:
        """Take in a batch [N, K, h, w]."""
        flat = values.flatten(2)
        highest = flat.amax((0, 2)).float().cpu()
        self._highest = highest if self._highest is None else torch.maximum(self._highest, highest)
        self._sum = self._sum + flat.float().sum((0, 2)).cpu().double()
        self._above = self._above + (flat > 0).sum((0, 2)).cpu()
        self._count += len(flat) * flat.shape[2]
        for image in flat[: max(0, self._left // self._per_image)]:
            positions = torch.randint(flat.shape[2], (min(self._per_image, flat.shape[2]),), generator=self._generator)
            self._samples.append(image[:, positions.to(image.device)].float().cpu())
            self._left -= self._per_image

    def merge(self, later: "ChannelStatsCollector") -> None:
        """Take in what another collector has taken in of the batches that follow."""
        if later._highest is None:
            return
        self._highest = later._highest if self._highest is None else torch.maximum(self._highest, later._highest)
        self._sum, self._above = self._sum + later._sum, self._above + later._above
        self._count += later._count
        samples = later._samples[: max(0, self._left // self._per_image)]
        self._samples += samples
        self._left -= self._per_image * len(samples)

    def checkpoint(self) -> Callable[[], None]:
        """What forgets all batches that are taken in from now on."""
        before = self._left, self._highest, self._sum, self._above, self._count
        samples, drawn = len(self._samples), self._generator.get_state()

        def forget() -> None:
            self._left, self._highest, self._sum, self._above, self._count = before
            del self._samples[samples:]
            self._generator.set_state(drawn)

        return forget

    def found(self) -> ChannelStats:
        """What has come to light so far.

        Raises:
            ValueError: no batch has been taken in.
        """
        if self._highest is None:
            raise ValueError("no batch has been taken in")
        count = self._count
        return ChannelStats(
            self._highest,
            (self._sum / count).float(),
            (self._above / count).float(),
            duplicates(torch.cat(self._samples, 1)),
        )


def duplicates(samples: Tensor) -> Tensor:
    """[K]: the first channel that goes with each one and stands before it, or -1; channels that never vary have none.

    Args:
        samples: [K, P], activations at P positions.
    """
    away = samples.double() - samples.double().mean(1, keepdim=True)
    norms = away.norm(dim=1, keepdim=True)
    varies = norms[:, 0] > 1e-6 * samples.abs().amax(1).clamp(min=1e-12) * samples.shape[1] ** 0.5
    unit = torch.where(varies[:, None], away / norms.where(norms > 0, 1.0), 0.0)
    alike = torch.tril(unit @ unit.T >= ALIKE, diagonal=-1)
    return torch.where(alike.any(1), alike.int().argmax(1), -1)
