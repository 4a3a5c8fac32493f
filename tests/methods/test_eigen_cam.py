"""Eigen-CAM against a singular value decomposition, and a pattern that was planted."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.methods.maps import only

pytestmark = pytest.mark.numeric


def test_eigen_cam_is_the_first_singular_vector(network: Any, layer: Any, images: Any, targets: Any) -> None:
    a, _ = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, "eigen_cam", layer=layer).numpy()
    for actual, values in zip(maps, a, strict=True):
        left, _, _ = np.linalg.svd(values.reshape(len(values), -1), full_matrices=False)
        expected = np.tensordot(left[:, 0], values, 1)
        if (expected * values.mean(0)).sum() < 0:
            expected = -expected
        np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [(5, 2, 2), (2, 5, 5)], ids=["many-channels", "many-positions"])
def test_eigen_cam_finds_a_planted_pattern_and_its_sign(size: Any, sign: Any) -> None:
    generator = torch.Generator().manual_seed(5)
    pattern = torch.randn(1, 1, *size[1:], generator=generator, dtype=torch.float64)
    weights = torch.arange(1.0, size[0] + 1, dtype=torch.float64).view(1, -1, 1, 1)
    network = nn.Sequential(nn.Identity(), nn.Conv2d(1, size[0], 1, bias=False), nn.Flatten())
    network.append(nn.Linear(size[0] * size[1] * size[2], 2)).double()
    network[1].weight.data = weights.transpose(0, 1)
    # A = weights × pattern has rank one; its mean over channels has the pattern's sign
    maps = only(network, sign * pattern, [0], "eigen_cam", layer="1")
    torch.testing.assert_close(maps, sign * pattern[0] * weights.norm(), rtol=1e-7, atol=1e-9)
