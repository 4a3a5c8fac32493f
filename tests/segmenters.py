"""Small segmentation networks."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class UNet(nn.Module):
    """Two levels down and up again with a skip connection, then scores of the classes at each position."""

    def __init__(self, classes: int = 3, *, bias: bool = True) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=bias), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.bottom = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1, bias=bias), nn.ReLU())
        self.up = nn.Sequential(nn.Conv2d(14, 6, 3, padding=1, bias=bias), nn.ReLU())
        self.head = nn.Conv2d(6, classes, 1, bias=bias)

    def forward(self, images: Tensor) -> Any:
        high = self.down(images)
        low = interpolate(self.bottom(self.pool(high)), scale_factor=2.0, mode="nearest")
        return self.head(self.up(torch.cat([high, low], dim=1)))


class Positions(nn.Module):
    """Linear scores of each position's own color: logits W x + b, by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.head.weight.copy_(
                torch.tensor([[2.0, 0.5, -1.0], [-0.5, 3.0, 0.25], [1.0, -2.0, 1.5]])[..., None, None]
            )
            assert self.head.bias is not None
            self.head.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))

    def forward(self, images: Tensor) -> Any:
        return {"out": self.head(images)}


class Returns(nn.Module):
    """Another network whose output is put into another form."""

    def __init__(self, network: nn.Module, form: Any) -> None:
        super().__init__()
        self.network, self.form = network, form

    def forward(self, images: Tensor) -> Any:
        return self.form(self.network(images))


def halves(count: int = 2, side: int = 8) -> Tensor:
    """Images of which a part is red and the rest is green, each parted elsewhere; a little noise on top."""
    generator = torch.Generator().manual_seed(3)
    images = 0.05 * torch.rand(count, 3, side, side, generator=generator, dtype=torch.float64)
    for row in range(count):
        images[row, 0, :, : 2 + row] += 1
        images[row, 1, :, 2 + row :] += 1
    return images


def build() -> nn.Module:
    """`Positions` as a run finds it: two classes with a region in `halves`, and one without."""
    network = Positions()
    network.class_names, network.size = ("red", "green", "never"), (8, 8)  # type: ignore[assignment]
    network.mean, network.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # type: ignore[assignment]
    return network


def red_share(output: Any) -> Tensor:
    """A target: the mean of the red scores over the whole picture, negated."""
    mean: Tensor = -output["out"][:, 0].mean(dim=(1, 2))
    return mean


def broken(output: Any) -> Tensor:
    """A target that asks for what isn't there."""
    part: Tensor = output["logits"]
    return part
