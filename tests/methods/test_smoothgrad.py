"""SmoothGrad and its variants against the same draws, one by one."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.errors import BadRequest, UnknownName
from tests import oracles
from tests.methods.maps import only
from tests.networks import SumOfSquares

pytestmark = pytest.mark.numeric


def test_smoothgrad_without_noise_is_the_gradient(network: Any, images: Any, targets: Any) -> None:
    plain = only(network, images, targets, "gradient")
    torch.testing.assert_close(only(network, images, targets, "smoothgrad", n=2, level=0.0), plain)


@pytest.mark.parametrize(
    ("variant", "of_draws"),
    [
        ("mean", lambda gradients: gradients.mean(0)),
        ("squared", lambda gradients: gradients.square().mean(0)),
        ("vargrad", lambda gradients: gradients.var(0)),
    ],
    ids=["mean", "squared", "vargrad"],
)
def test_every_variant_equals_its_definition_with_the_same_noise(
    network: Any, images: Any, targets: Any, variant: Any, of_draws: Any
) -> None:
    gradients = torch.zeros(4, *images.shape, dtype=torch.float64)
    for i, image in enumerate(images):
        generator = noise_generator(image, 3)
        for draw in range(4):
            noise = torch.randn(image.shape, generator=generator, dtype=torch.float64)
            noisy = image + 0.2 * (image.max() - image.min()) * noise
            gradients[draw, i] = oracles.pixel_gradient(network, noisy[None], targets[i : i + 1])[0]
    maps = only(network, images, targets, "smoothgrad", n=4, level=0.2, seed=3, variant=variant)
    torch.testing.assert_close(maps, of_draws(gradients), rtol=1e-9, atol=1e-12)


def test_vargrad_keeps_a_small_variance_beside_a_large_gradient(images: Any) -> None:
    class Steep(nn.Module):
        def forward(
            self, x: Any
        ) -> Any:  # the gradient is 1e5 + 2x: its mean square hides its variance from single precision
            return (1e5 * x + x.square()).sum((1, 2, 3))[:, None]

    maps = only(Steep(), images.float(), [0, 0, 0], "smoothgrad", n=20, level=0.1, variant="vargrad")
    spread = 0.1 * (images.amax((1, 2, 3)) - images.amin((1, 2, 3)))
    assert maps.mean((1, 2, 3)).tolist() == pytest.approx((4 * spread.square()).tolist(), rel=0.1)


def test_smoothgrad_refuses_what_it_cannot_do(images: Any) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'vargrad'"):
        only(SumOfSquares(), images, [0, 0, 0], "smoothgrad", variant="var_grad")
    with pytest.raises(BadRequest, match="at least 2"):
        only(SumOfSquares(), images, [0, 0, 0], "smoothgrad", variant="vargrad", n=1)
