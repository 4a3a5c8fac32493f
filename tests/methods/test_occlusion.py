"""Occlusion, window by window and pixel by pixel."""

from typing import Any

import pytest
import torch

from cnnvis_report.errors import BadRequest
from tests import oracles
from tests.methods.maps import only
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize(("patch", "stride"), [(4, 3), (5, 5), (6, 2), (16, 8)])
def test_occlusion_equals_its_definition(network: Any, images: Any, targets: Any, patch: Any, stride: Any) -> None:
    images = images[..., :13].contiguous()  # not square, and not a whole number of windows
    maps = only(network, images, targets, "occlusion", patch=patch, stride=stride)
    expected = oracles.occlusion(network, images, targets, min(patch, 13), stride)
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


def test_occlusion_takes_an_eighth_and_half_of_that_by_default(images: Any, targets: Any) -> None:
    network = seeded(Tiny()).double()
    explicit = only(network, images, targets, "occlusion", patch=2, stride=1)
    torch.testing.assert_close(only(network, images, targets, "occlusion"), explicit)


def test_occlusion_averages_its_scales(network: Any, wide: Any, targets: Any) -> None:
    maps = only(network, wide, targets, "occlusion", patch=3, stride=2, scales=3)
    single_scales = [
        oracles.occlusion(network, wide, targets, patch, stride) for patch, stride in [(3, 2), (6, 4), (12, 8)]
    ]
    torch.testing.assert_close(maps, sum(single_scales) / 3, rtol=1e-9, atol=1e-12)
    with pytest.raises(BadRequest, match="'scales' of occlusion is 0; it takes a number from 1 to 16"):
        only(network, wide, targets, "occlusion", scales=0)
