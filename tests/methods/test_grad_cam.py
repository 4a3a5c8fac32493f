"""Grad-CAM and the maps that weigh channels by gradients, against their definitions written out in NumPy."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from cnnvis_report import explain
from tests import oracles
from tests.methods.maps import only

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("name", oracles.CAMS)
def test_cams_equal_their_definitions(network: Any, layer: Any, images: Any, targets: Any, name: Any) -> None:
    a, g = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, name, layer=layer).numpy()
    np.testing.assert_allclose(maps, oracles.CAMS[name](a, g), rtol=1e-9, atol=1e-12)


def test_grad_cam_plus_plus_equals_equation_19(network: Any, layer: Any, images: Any, targets: Any) -> None:
    a, g = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, "grad_cam_plus_plus", layer=layer).numpy()
    np.testing.assert_allclose(maps, oracles.grad_cam_plus_plus(a, g), rtol=1e-9, atol=1e-12)


def test_guided_grad_cam_is_the_product_of_its_parts(network: Any, layer: Any, images: Any, targets: Any) -> None:
    parts = explain(network, images, targets, ["guided_backprop", "grad_cam", "guided_grad_cam"], layer=layer)
    upsampled = interpolate(parts["grad_cam"][:, None], size=(16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(parts["guided_grad_cam"], parts["guided_backprop"] * upsampled)
