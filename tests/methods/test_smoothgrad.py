"""SmoothGrad and its variants against the same draws, one by one."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.methods.selection import select
from tests import oracles
from tests.methods.maps import noted, only
from tests.networks import SumOfSquares, Tiny, seeded

pytestmark = pytest.mark.numeric


def test_smoothgrad_without_noise_is_the_gradient(network: Any, images: Any, targets: Any) -> None:
    plain = only(network, images, targets, "gradient")
    torch.testing.assert_close(only(network, images, targets, "smoothgrad", n=2, level=0.0), plain)


VARIANTS = pytest.mark.parametrize(
    ("variant", "terms_of"),
    [
        # pairs of opposite noise, of which the last one is alone where the number of draws is odd
        ("mean", lambda g: (torch.stack([g[:2].mean(0), g[2:4].mean(0), g[4]]), [2, 2, 1])),
        ("squared", lambda g: (g.square(), [1] * 5)),
        # each draw's distance from the mean of those before, in independent parts
        ("vargrad", lambda g: (torch.stack([(g[i] - g[:i].mean(0)) ** 2 * i / (i + 1) for i in range(1, 5)]), [1] * 4)),
    ],
    ids=["mean", "squared", "vargrad"],
)


def gradients_slowly(network: Any, images: Any, targets: Any, variant: str) -> Any:
    """[5, N, C, H, W]: those of five draws, one by one."""
    gradients = torch.zeros(5, *images.shape, dtype=torch.float64)
    for i, image in enumerate(images):
        generator = noise_generator(image, 3)
        noise = torch.zeros_like(image)
        for draw in range(5):
            opposite = variant == "mean" and draw % 2
            noise = -noise if opposite else torch.randn(image.shape, generator=generator, dtype=torch.float64)
            noisy = image + 0.2 * (image.max() - image.min()) * noise
            gradients[draw, i] = oracles.pixel_gradient(network, noisy[None], targets[i : i + 1])[0]
    return gradients


@VARIANTS
def test_every_variant_equals_its_definition_with_the_same_noise(
    network: Any, images: Any, targets: Any, variant: str, terms_of: Any
) -> None:
    gradients = gradients_slowly(network, images, targets, variant)
    maps, notes, _ = noted(network, images, targets[:, None], "smoothgrad", n=5, level=0.2, seed=3, variant=variant)
    defined = {"mean": gradients.mean(0), "squared": gradients.square().mean(0), "vargrad": gradients.var(0)}[variant]
    torch.testing.assert_close(maps[:, 0], defined, rtol=1e-9, atol=1e-12)
    terms, weights = terms_of(gradients)
    weight = torch.tensor(weights, dtype=torch.float64).view(-1, 1, 1, 1, 1)
    variances = (weight * (terms - defined).square()).sum(0) / (len(terms) - 1) / weight.sum()
    error = variances.mean((1, 2, 3)).sqrt() / defined.std((1, 2, 3), correction=0)
    torch.testing.assert_close(notes["standard_error"][:, 0], error, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(("variant", "n"), [("mean", 7), ("squared", 4), ("vargrad", 6)])
def test_the_standard_error_is_the_spread_over_seeds(images: Any, variant: str, n: int) -> None:
    subject, (entry,) = Subject(seeded(Tiny()).double(), images[:1]), select(["smoothgrad"])
    maps, variances = [], []
    for seed in range(40):
        tape = Tape(subject, images, seed=seed)
        with tape.costs.measure() as cost, torch.no_grad():
            maps.append(
                entry.function(tape, torch.zeros(3, 1, dtype=torch.long), n=n, variant=variant)[:, 0].flatten(1)
            )
        variances.append((torch.as_tensor(cost.notes["standard_error"])[:, 0] * maps[-1].std(1, correction=0)).square())
    stated, spread = torch.stack(variances).mean(0).sqrt(), torch.stack(maps).var(0).mean(1).sqrt()
    assert (stated / spread).tolist() == pytest.approx([1.0] * 3, rel=0.12)


def test_opposite_draws_leave_nothing_uncertain_where_the_gradient_is_linear(images: Any) -> None:
    targets = torch.zeros(3, 1, dtype=torch.long)
    maps, notes, _ = noted(SumOfSquares(), images, targets, "smoothgrad", n=4, level=0.5)
    torch.testing.assert_close(maps[:, 0], 2 * images, rtol=1e-12, atol=1e-12)
    assert float(notes["standard_error"].max()) < 1e-12


def test_one_pair_of_draws_does_not_tell_how_uncertain_it_is(images: Any, targets: Any) -> None:
    _, notes, _ = noted(SumOfSquares(), images, targets[:, None] * 0, "smoothgrad", n=2)
    assert "standard_error" not in notes and notes["draws"] == 2


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
