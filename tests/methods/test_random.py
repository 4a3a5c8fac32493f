"""The random map is uniform."""

import pytest
import torch

from tests.methods.maps import only
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


def test_random_is_uniform_and_another_for_another_class() -> None:
    network = seeded(Tiny())
    image = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    maps = only(network, image, torch.tensor([[0, 1]]), "random")[0]
    assert float(maps.min()) >= 0 and float(maps.max()) < 1
    assert abs(float(maps.mean()) - 0.5) < 0.01 and abs(float(maps.var()) - 1 / 12) < 0.005
    assert abs(float(torch.corrcoef(maps.flatten(1))[0, 1])) < 0.03
