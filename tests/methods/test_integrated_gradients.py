"""Integrated gradients of scores whose path integral is known."""

from typing import Any

import pytest
import torch

from tests.methods.maps import only
from tests.networks import SumOfSquares

pytestmark = pytest.mark.numeric


def test_quadratic_score_is_exact_at_any_number_of_steps(images: Any) -> None:
    # the path integral of x² is x², so a wrong quadrature shows at three steps already
    maps = only(SumOfSquares(), images, torch.zeros(3, dtype=torch.long), "integrated_gradients", steps=3)
    torch.testing.assert_close(maps, images.square(), rtol=1e-12, atol=1e-12)


def test_integrated_gradients_start_from_black(images: Any) -> None:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    black = (-torch.tensor(mean, dtype=torch.float64) / torch.tensor(std, dtype=torch.float64)).view(3, 1, 1)
    maps = only(SumOfSquares(), images, [1, 1, 1], "integrated_gradients", steps=2, mean=mean, std=std)
    torch.testing.assert_close(maps, 2 * (images.square() - black.square()), rtol=1e-12, atol=1e-12)


def test_integrated_gradients_are_complete(network: Any, images: Any, targets: Any) -> None:
    maps = only(network, images, targets, "integrated_gradients", steps=300)
    rise = (network(images.clone()) - network(torch.zeros_like(images))).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(maps.sum((1, 2, 3)), rise.detach(), rtol=2e-2, atol=2e-2)
