"""An image, and networks that score it."""

import pytest

from tests.networks import Awkward, Tiny, seeded


@pytest.fixture
def image(images):
    return images[0, :, :13, :11]


@pytest.fixture(params=[Tiny, Awkward])
def probability(request):
    network = seeded(request.param()).double().eval()
    return lambda batch: network(batch).softmax(dim=1)
