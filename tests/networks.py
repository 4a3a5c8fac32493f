"""Small networks, each with one of the habits that trip explanation tools up."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Network = TypeVar("Network", bound=nn.Module)


class Tiny(nn.Module):
    """Convolution, ReLU, pooling, convolution, ReLU, global average, linear."""

    def __init__(self, classes: int = 5, channels: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.pool(self.features(x)).flatten(1))


class Awkward(nn.Module):
    """Functional, in-place and reused activations, an input worked on in place, a branch and a `.view`."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.left = nn.Conv2d(6, 6, 3, padding=1)
        self.right = nn.Conv2d(6, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(12, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 16, classes)

    def forward(self, x: Tensor) -> Any:
        x.mul_(1.5)
        x = F.relu(self.first(x), inplace=True)
        left = self.act(self.norm(self.left(x)))
        right = self.act(self.right(x)).clamp(min=0)
        x = torch.cat([left + x, right], 1)
        x = F.max_pool2d(torch.relu_(self.last(x)), 2)
        return self.fc(F.adaptive_avg_pool2d(x, 4).view(len(x), -1))


class SumOfSquares(nn.Module):
    """Two classes: the sum of squares and its double. The path integral of x² from 0 is x²."""

    def forward(self, x: Tensor) -> Tensor:
        score = x.square().sum((1, 2, 3))
        return torch.stack([score, 2 * score], dim=1)


def seeded(network: Network, seed: int = 0) -> Network:
    """Random weights, biases and batch statistics that leave no unit and no constant at its default."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * (2 / fan) ** 0.5
            if module.bias is not None:
                module.bias.data = 0.1 * torch.randn(module.bias.shape, generator=generator)
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            shape = module.weight.shape
            module.weight.data = 0.5 + torch.rand(shape, generator=generator)
            module.bias.data = 0.1 * torch.randn(shape, generator=generator)
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.data = 0.1 * torch.randn(shape, generator=generator)
            module.running_var.data = 0.5 + torch.rand(shape, generator=generator)
    return network
