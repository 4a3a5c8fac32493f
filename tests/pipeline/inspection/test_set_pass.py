"""Which layers are looked at, and how much of their maps is kept."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.inspection.budget import BUDGETS
from cnnvis_report.pipeline.inspection.set_pass import feature_layers, kept_maps, main_layers
from tests.networks import seeded


def test_stages_are_what_makes_maps_of_its_own() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

        def forward(self, x: Any) -> Any:
            return F.relu(self.norm(self.convolution(x)) + x)

    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(inplace=True), nn.Sequential(nn.MaxPool2d(2)), Block(),
        nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip
    actual = [(layer.name, layer.kind) for layer in feature_layers(Subject(seeded(network), torch.randn(1, 3, 18, 22)))]
    assert actual == [
        ("0", "convolution"), ("2", "activation"), ("3.0", "pooling"), ("4.convolution", "convolution"), ("4", "block"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "layers"),
    [("resnet18", ["layer2", "layer3", "layer4"]), ("squeezenet1_1", ["features.4", "features.7", "features"])],
)
def test_three_layers_are_the_last_of_their_size(name: Any, layers: Any) -> None:
    network = models.get_model(name, weights=None)
    subject = Subject(network, torch.randn(1, 3, 128, 128))
    actual = main_layers(subject)
    shapes = [subject.layer(layer).shape[1:] for layer in actual]
    assert len(set(shapes)) == 3 and shapes == sorted(shapes, reverse=True)
    assert actual[-1] == subject.default_layer
    assert actual == layers


def test_maps_are_cut_down_until_they_fit() -> None:
    shapes, standard = [(64, 56, 56), (128, 28, 20)], BUDGETS["standard"]
    seen = []
    for many in (1, 2, 20, 800):
        count, side = kept_maps(shapes * many, 4, standard)
        size = count * many * (64 * min(side, 56) ** 2 + 128 * min(side, 28) * round(20 * min(1, side / 28)))
        assert size <= standard.values or (count, side) == (1, 14)
        seen.append((count, side))
    assert seen == sorted(seen, reverse=True) and seen[0] == (4, 10_000) and seen[-1] == (1, 14)
