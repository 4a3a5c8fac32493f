"""Guided backpropagation and deconvnet against operators that are overridden, and by hand."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from tests import oracles
from tests.methods.maps import only
from tests.networks import seeded

pytestmark = pytest.mark.numeric


BOTH = pytest.mark.parametrize(("name", "gated"), [("guided_backprop", True), ("deconvnet", False)])


@BOTH
def test_relu_rules_equal_an_override_of_the_operators(
    network: Any, images: Any, targets: Any, name: Any, gated: Any
) -> None:
    expected = oracles.pixel_gradient(network, images, targets, gated)
    maps = only(network, images, targets, name)
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


@BOTH
def test_relu6_has_two_gates(images: Any, targets: Any, name: Any, gated: Any) -> None:
    conv = nn.Conv2d(3, 4, 3)
    network = nn.Sequential(conv, nn.ReLU6(inplace=True), nn.Flatten(), nn.Linear(4 * 14 * 14, 5))
    seeded(network).double()
    conv.weight.data *= 6
    assert float((network[:2](images) == 6).double().mean()) > 0.1, "some units are at the ceiling"
    expected = oracles.pixel_gradient(network, images, targets, gated)
    torch.testing.assert_close(only(network, images, targets, name), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("x", "guided", "projected"),
    [((1.0, 1.0), [2, 0], [2, 0]), ((-1.0, 1.0), [0, 0], [2, 0])],
    ids=["open-gates", "closed-gate"],
)
def test_relu_rules_by_hand(x: Any, guided: Any, projected: Any) -> None:
    # y = 2 relu(x1) - 3 relu(x2): guided drops the negative signal and the closed gate, deconvnet the negative signal
    head = nn.Linear(2, 1, bias=False)
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), head).double()
    head.weight.data = torch.tensor([[2.0, -3.0]], dtype=torch.float64)
    image = torch.tensor(x, dtype=torch.float64).view(1, 1, 1, 2)
    maps = explain(network, image, [0], ["guided_backprop", "deconvnet"])
    assert maps["guided_backprop"].flatten().tolist() == guided
    assert maps["deconvnet"].flatten().tolist() == projected
