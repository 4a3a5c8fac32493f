"""Networks, layers and images that the tests of several methods share."""

from typing import Any

import pytest
import torch

from tests.networks import Awkward, Tiny, seeded


@pytest.fixture(params=[Tiny, Awkward])
def network(request: pytest.FixtureRequest) -> Any:
    return seeded(request.param()).double().eval()


@pytest.fixture
def layer(network: Any) -> Any:
    return "features" if isinstance(network, Tiny) else "last"


@pytest.fixture
def wide(images: Any) -> Any:
    return images[:, :, :12].contiguous()  # not square


@pytest.fixture
def others() -> Any:
    return torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@pytest.fixture
def pictures() -> Any:
    """Flat fields of color, which SLIC finds, with a little noise."""
    generator = torch.Generator().manual_seed(2)
    fields = torch.randn(2, 3, 3, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(2, 3, 18, 24, generator=generator, dtype=torch.float64)
    return fields.repeat_interleave(6, 2).repeat_interleave(6, 3) + 0.01 * noise
