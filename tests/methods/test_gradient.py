"""Gradient, saliency and input × gradient against finite differences and each other."""

from typing import Any

import pytest
import torch

from cnnvis_report import explain
from tests import oracles
from tests.methods.maps import only

pytestmark = pytest.mark.numeric


def test_gradient_is_the_finite_difference(network: Any, images: Any, targets: Any) -> None:
    maps = only(network, images, targets, "gradient")
    step = 1e-6
    for index in [(0, 0, 3, 4), (1, 2, 9, 9), (2, 1, 15, 0)]:
        up, down = images.clone(), images.clone()
        up[index] += step
        down[index] -= step
        scores = [network(x)[index[0], targets[index[0]]] for x in (up, down)]
        assert float(maps[index]) == pytest.approx(float(scores[0] - scores[1]) / (2 * step), rel=1e-5, abs=1e-8)


def test_saliency_and_input_x_gradient_follow_from_the_gradient(network: Any, images: Any, targets: Any) -> None:
    maps = explain(network, images, targets, ["gradient", "saliency", "input_x_gradient"])
    expected = oracles.pixel_gradient(network, images, targets)
    torch.testing.assert_close(maps["gradient"], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(maps["saliency"], expected.abs(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(maps["input_x_gradient"], expected * images, rtol=1e-9, atol=1e-12)
