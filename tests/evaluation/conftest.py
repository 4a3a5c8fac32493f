"""An image, and networks that score it."""

from typing import Any

import pytest

from tests.networks import Awkward, Tiny, seeded


@pytest.fixture
def image(images: Any) -> Any:
    return images[0, :, :13, :11]


@pytest.fixture(params=[Tiny, Awkward])
def probability(request: pytest.FixtureRequest) -> Any:
    network = seeded(request.param()).double().eval()
    return lambda batch: network(batch).softmax(dim=1)
