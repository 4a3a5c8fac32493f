"""Kernels of convolutions as they are shown: all of them, or those with the largest norms."""

from typing import Any

import torch
from torch import nn

from cnnvis_report.engine.subject import Subject
from cnnvis_report.inspection.filters import kernels
from tests.networks import seeded


def test_kernels_are_the_weights_with_the_largest_norms() -> None:
    first, wide, pointwise = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 70, (3, 2), stride=(2, 1)), nn.Conv2d(70, 4, 1, groups=2)
    network = nn.Sequential(first, nn.ReLU(), wide, pointwise, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    of_first, of_wide, of_pointwise = shown = list(kernels(Subject(seeded(network), torch.randn(1, 3, 12, 12))))
    assert [layer.layer for layer in shown] == ["0", "2", "3"]
    assert [layer.first for layer in shown] == [True, False, False]
    assert torch.equal(of_first.values, first.weight) and of_first.channels.tolist() == list(range(5))
    weight = wide.weight.detach()
    expected = sorted(sorted(range(70), key=lambda k: -float(weight[k].norm()))[:64])
    assert of_wide.channels.tolist() == expected and of_wide.stride == (2, 1) and of_wide.shape == (70, 5, 3, 2)
    assert torch.equal(of_wide.values, weight[expected])
    weight = pointwise.weight.detach()
    assert of_pointwise.inputs is not None
    for row, channel in enumerate(of_pointwise.channels.tolist()):
        strongest = sorted(sorted(range(35), key=lambda k: -abs(float(weight[channel, k])))[:16])
        assert of_pointwise.inputs[row].tolist() == strongest
        assert torch.equal(of_pointwise.values[row, :, 0, 0], weight[channel, strongest, 0, 0])


def test_a_layer_that_runs_twice_shows_its_kernels_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return self.convolution(self.convolution(x)).mean((2, 3))

    assert [layer.layer for layer in kernels(Subject(seeded(Twice()), torch.randn(1, 3, 8, 8)))] == ["convolution#1"]
