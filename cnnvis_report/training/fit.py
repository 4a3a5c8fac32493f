"""Training a small classifier on pictures that fit into memory."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnvis_report.loading.images import ImageSet
from cnnvis_report.loading.pictures import prepare
from cnnvis_report.preprocessing import Preprocessing

Advance = Callable[[str], None]


@dataclass(frozen=True)
class Pictures:
    """Inputs [N, C, H, W] with class indices [N]."""

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.images)


def load_pictures(images: ImageSet, preprocessing: Preprocessing) -> Pictures:
    """All images of a labelled set at once."""
    values = [prepare(item.open(), preprocessing).values for item in images]
    targets = [item.label.index if item.label and item.label.index is not None else -1 for item in images]
    return Pictures(torch.stack(values), torch.tensor(targets))


def fit(
    network: nn.Module,
    pictures: Pictures,
    *,
    epochs: int,
    seed: int,
    batch: int = 25,
    rate: float = 1e-2,
    advance: Advance = lambda _: None,
) -> None:
    """Train the network in place: AdamW under a one-cycle rate, quarter turns and mirrors as augmentation.

    The same seed gives the same weights on the same machine. `advance` is told the loss of each epoch.
    """
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-3)
    generator = torch.Generator().manual_seed(seed)
    rounds = len(pictures) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * rounds)
    network.train()
    for _ in range(epochs):
        total = 0.0
        order = torch.randperm(len(pictures), generator=generator)[: rounds * batch]
        for chosen in order.view(rounds, batch):
            images = _turned(pictures.images[chosen], generator)
            loss = cross_entropy(network(images), pictures.targets[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() / rounds
        advance(f"loss {total:.2f}")
    network.eval()


def accuracy(network: nn.Module, pictures: Pictures) -> float:
    """The share of pictures whose largest score is the label's."""
    with torch.no_grad():
        return float((network(pictures.images).argmax(dim=1) == pictures.targets).float().mean())


def _turned(images: Tensor, generator: torch.Generator) -> Tensor:
    """The whole batch mirrored or not, and turned by a quarter or not: a shape stays what it is."""
    mirrored, turns = torch.randint(4, (2,), generator=generator).tolist()
    images = images.flip(-1) if mirrored % 2 else images
    return torch.rot90(images, turns, (2, 3)).contiguous(memory_format=torch.channels_last)
