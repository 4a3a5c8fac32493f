"""Where a method says that another has the same map, the maps are the same up to a positive factor."""

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.methods.catalog import catalog
from cnnvis_report.records.methods import MethodInfo, Where
from tests.networks import SumOfSquares, Tiny, seeded

DECLARED = [(entry.info, equality.method) for entry in catalog() for equality in entry.info.equals]


class Pooled(nn.Module):
    """Signed features, averaged and weighed: not even a ReLU before the average."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3))
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))  # type: ignore[no-any-return]


class Rectified(Pooled):
    """As squeezenet ends: a ReLU between the weights and the average."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.features(x).relu()).relu().mean((2, 3))  # type: ignore[no-any-return]


SQUEEZED = nn.Sequential(
    *(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
)
SMOOTH = nn.Sequential(nn.Conv2d(3, 5, 3), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))


def test_some_are_declared() -> None:
    assert {(info.name, other) for info, other in DECLARED} >= {("hires_cam", "cam"), ("lrp_z", "input_x_gradient")}


@pytest.mark.parametrize("network", [Tiny(5), Pooled()], ids=["rectified features", "signed features"])
@pytest.mark.parametrize(("info", "other"), DECLARED, ids=lambda value: getattr(value, "name", value))
def test_the_maps_are_the_same_up_to_a_factor(
    info: MethodInfo, other: str, network: nn.Module, images: Tensor, targets: Tensor
) -> None:
    network = seeded(network).double()
    subject = Subject(network, images[:1])
    assert subject.averaged_layer and subject.piecewise_linear
    maps = explain(network, images, targets, [info.name, other])
    for one, reference in zip(maps[info.name].flatten(1), maps[other].flatten(1), strict=True):
        factor = (one @ reference) / (reference @ reference).clamp(min=1e-12)
        assert factor > 0 or not reference.any()
        torch.testing.assert_close(one, factor * reference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("network", "averaged", "piecewise"),
    [
        (Pooled(), True, True),
        (Rectified(), False, True),
        (SQUEEZED, False, True),
        (SMOOTH, True, False),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5)), False, True),
        (SumOfSquares(), False, False),
    ],
    ids=["averaged", "a ReLU before the average", "the same of modules", "smooth", "no pooling", "squares"],
)
def test_the_network_says_whether_it_is_of_the_kind(
    network: nn.Module, averaged: bool, piecewise: bool, images: Tensor
) -> None:
    subject = Subject(seeded(network).double(), images[:1])
    assert (bool(subject.averaged_layer), subject.piecewise_linear) == (averaged, piecewise)
    assert {Where.AVERAGED, Where.PIECEWISE_LINEAR} == set(Where)
