"""Small networks in double precision, for pictures that are made by optimization."""

import pytest
import torch

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from tests.networks import Tiny, seeded

GREY = Preprocessing((0.5,) * 3, (0.25,) * 3)


@pytest.fixture(scope="module")
def one_thread():
    """Pictures of 16×16 take longer to share out than to compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def double(network, side=16, preprocessing=GREY):
    network = network.double().eval()
    channels = preprocessing.channels
    example = torch.randn(1, channels, side, side, generator=source(3), dtype=torch.float64)
    return Subject(network, example, preprocessing=preprocessing)


@pytest.fixture
def tiny():
    return double(seeded(Tiny()))


def plain(subject, image, layer=""):
    """What a layer, or the network, gives for a picture: by a hook of the test's own."""
    kept = []
    image = subject.preprocessing.normalize(image.to(next(subject.network.parameters())))[None]
    module = subject.network.get_submodule(layer)
    handle = module.register_forward_hook(lambda *args: kept.append(args[2].clone()))
    with torch.no_grad():
        subject.network(image.clone())
    handle.remove()
    return kept[0][0]
