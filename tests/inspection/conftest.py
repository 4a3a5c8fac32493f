"""Small networks in double precision, for pictures that are made by optimization."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from tests.networks import Tiny, seeded

GREY = Preprocessing((0.5,) * 3, (0.25,) * 3)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[Any]:
    """Pictures of 16×16 take longer to share out than to compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def source(seed: Any = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def double(network: Any, side: Any = 16, preprocessing: Any = GREY) -> Any:
    network = network.double().eval()
    channels = preprocessing.channels
    example = torch.randn(1, channels, side, side, generator=source(3), dtype=torch.float64)
    return Subject(network, example, preprocessing=preprocessing)


@pytest.fixture
def tiny() -> Any:
    return double(seeded(Tiny()))


def plain(subject: Any, image: Any, layer: Any = "") -> Any:
    """What a layer, or the network, gives for a picture: by a hook of the test's own."""
    outputs = []
    image = subject.preprocessing.normalize(image.to(next(subject.network.parameters())))[None]
    module = subject.network.get_submodule(layer)
    handle = module.register_forward_hook(lambda *args: outputs.append(args[2].clone()))
    with torch.no_grad():
        subject.network(image.clone())
    handle.remove()
    return outputs[0][0]
