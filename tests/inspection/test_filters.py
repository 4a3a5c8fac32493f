"""Kernels of convolutions as they are shown: all of them, or those with the largest norms."""

from typing import Any

import torch
from torch import nn

from cnnvis_report.engine.subject import Subject
from cnnvis_report.inspection.filters import kernels
from tests.networks import seeded


def test_kernels_are_the_weights_with_the_largest_norms() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3),
        nn.ReLU(),
        nn.Conv2d(5, 70, (3, 2), stride=(2, 1)),
        nn.Conv2d(70, 4, 1, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    found = list(kernels(Subject(seeded(network), torch.randn(1, 3, 12, 12))))
    assert [each.layer for each in found] == ["0", "2", "3"] and [each.first for each in found] == [True, False, False]
    assert torch.equal(found[0].values, network[0].weight) and found[0].channels.tolist() == list(range(5))
    weight = network[2].weight.detach()
    expected = sorted(sorted(range(70), key=lambda k: -float(weight[k].norm()))[:64])
    assert found[1].channels.tolist() == expected and found[1].stride == (2, 1) and found[1].shape == (70, 5, 3, 2)
    assert torch.equal(found[1].values, weight[expected])
    last = network[3].weight.detach()
    for row, channel in enumerate(found[2].channels.tolist()):
        best = sorted(sorted(range(35), key=lambda k: -abs(float(last[channel, k])))[:16])
        assert found[2].inputs[row].tolist() == best
        assert torch.equal(found[2].values[row, :, 0, 0], last[channel, best, 0, 0])


def test_a_layer_that_runs_twice_shows_its_kernels_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return self.convolution(self.convolution(x)).mean((2, 3))

    assert [each.layer for each in kernels(Subject(seeded(Twice()), torch.randn(1, 3, 8, 8)))] == ["convolution#1"]
