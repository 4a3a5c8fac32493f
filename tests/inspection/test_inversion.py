"""Feature inversion: images found from their features at a layer."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.errors import CnnVisError
from cnnvis_report.inspection import parametrization
from cnnvis_report.inspection.inversion import invert
from tests.inspection.conftest import GREY, double, plain, source

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("one_thread")]


class Rotated(nn.Module):
    """A layer that loses nothing, and one that keeps the mean of each channel alone."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)
        self.mix.weight.data = torch.linalg.qr(torch.randn(3, 3, generator=source(4))).Q[:, :, None, None]
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Any) -> Any:
        return self.pool(self.mix(x)).flatten(1)


def picture() -> Any:
    """[3, 16, 16] in 0..1: soft blobs of different colors."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    return torch.stack([0.5 + 0.4 * torch.sin(3 * x + k) * torch.cos(2 * y - k) for k in range(3)]).double()


def test_a_layer_that_loses_nothing_gives_the_image_back() -> None:
    subject = double(Rotated())
    whole, mean = invert(subject, GREY.normalize(picture()), ["mix", "pool"], steps=800, smooth=0)
    assert (whole.image - picture()).abs().max() < 0.01 and whole.error < 1e-4
    assert mean.error < 1e-4 and (mean.image - picture()).abs().max() > 0.2  # as good, and another picture


def test_features_are_met_far_better_than_by_noise(tiny: Any) -> None:
    image = GREY.normalize(picture())
    noise = GREY.normalize(torch.rand(20, 3, 16, 16, generator=source(8), dtype=torch.float64))
    layers = ["features.1", "features.4", "fc"]
    inverted = invert(tiny, image, layers, steps=100)
    for layer, one in zip(layers, inverted, strict=True):
        wanted = plain(tiny, GREY.restore(image), layer)
        apart = [((plain(tiny, GREY.restore(n), layer) - wanted).norm() / wanted.norm()).item() ** 2 for n in noise]
        own = (plain(tiny, one.image, layer) - wanted).square().sum() / wanted.square().sum()
        assert one.layer == layer and one.error == pytest.approx(own.item(), rel=1e-3, abs=1e-9)
        assert one.error < 0.05 * min(apart) and one.error < 0.1 * one.curve[0]
        assert len(one.curve) == 100
    smooth = invert(tiny, image, layers, steps=100, smooth=10)
    for one, other in zip(inverted[1:], smooth[1:], strict=True):
        assert parametrization.total_variation(other.image[None]) < parametrization.total_variation(one.image[None])


def test_layers_are_inverted_as_if_alone(tiny: Any) -> None:
    image = GREY.normalize(picture())
    steps_done: list[int] = []
    together = invert(tiny, image, ["features.1", "fc"], steps=10)
    parts = invert(tiny, image, ["features.1", "fc"], steps=10, capacity=1, progress=steps_done.append)
    for one, other in zip(together, parts, strict=True):
        torch.testing.assert_close(one.image, other.image, rtol=1e-5, atol=1e-6)
    assert steps_done == list(range(1, 21))
    assert not torch.equal(invert(tiny, image, ["fc"], steps=10, seed=1)[0].image, together[1].image)


@pytest.mark.parametrize("layers, steps, words", [([], 5, "0 layers"), (["fc"], 0, "steps=0"), (["fk"], 5, "called")])
def test_an_inversion_that_cannot_be_done_is_said_in_a_line(tiny: Any, layers: Any, steps: Any, words: Any) -> None:
    with pytest.raises(CnnVisError, match=words):
        invert(tiny, GREY.normalize(picture()), layers, steps=steps)
