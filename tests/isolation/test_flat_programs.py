"""The flat graph of an exported program's module() has the maps of the network that was exported."""

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.isolation.flat_programs import is_flat, with_layers
from tests.narrow import needs_programs
from tests.networks import seeded

pytestmark = pytest.mark.filterwarnings("ignore")

IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
METHODS = ["grad_cam", "cam", "guided_backprop", "lrp_composite", "lrp_epsilon", "input_x_gradient"]


def small() -> nn.Sequential:
    layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    return seeded(nn.Sequential(*layers)).eval()


def flat(batch: int | None) -> nn.Module:
    shapes = ({0: torch.export.Dim("batch")},) if batch is None else None
    return torch.export.export(small(), (IMAGES[: batch or 2],), dynamic_shapes=shapes).module()


@pytest.mark.parametrize("batch", [1, 2, None], ids=["one", "two", "any"])
def test_maps_are_those_of_the_network(batch: int | None) -> None:
    program = flat(batch)
    before = str(program.graph)
    expected = explain(small(), IMAGES, [0, 3], methods=METHODS)
    actual = explain(program, IMAGES, [0, 3], methods=METHODS)
    for method in METHODS:
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-5, atol=1e-7, msg=method)
    assert str(program.graph) == before and is_flat(program)


@needs_programs
def test_layers_are_called_by_their_modules_and_operations() -> None:
    network = with_layers(flat(None))
    assert not is_flat(network)
    names = {name for name, module in network.named_modules() if not list(module.children())}
    assert {"0.conv2d", "2.relu", "5.linear"} <= names


def test_other_networks_are_left_as_they_are() -> None:
    network = small()
    assert with_layers(network) is network


class Several(nn.Module):
    """Two results."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[N, 3] twice."""
        means = images.mean((2, 3))
        return means.relu(), means


def test_several_results_stay_several() -> None:
    network = with_layers(torch.export.export(Several().eval(), (IMAGES,)).module())
    assert [tuple(result.shape) for result in network(IMAGES)] == [(2, 3), (2, 3)]
