"""Expected gradients against the same draws, and of scores for which they are complete."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.methods.selection import select
from tests import oracles
from tests.methods.maps import noted, only
from tests.networks import SumOfSquares, Tiny, seeded

pytestmark = pytest.mark.numeric


def draws_slowly(image: Any, n: int, among: int, seed: int) -> tuple[list[int], list[float]]:
    """Each of the other images before one comes again, and a share in every n-th part of 0..1."""
    generator = noise_generator(image, seed)
    drawn: list[int] = []
    while len(drawn) < n:
        drawn += torch.randperm(among, generator=generator).tolist()
    parts = torch.randperm(n, generator=generator).tolist()
    shares = torch.rand(n, generator=generator, dtype=torch.float64).tolist()
    return drawn[:n], [(part + share) / n for part, share in zip(parts, shares, strict=True)]


def test_expected_gradients_equal_their_definition_with_the_same_draws(
    network: Any, images: Any, targets: Any, others: Any
) -> None:
    maps = only(network, images, targets, "expected_gradients", n=5, seed=3, reference=others)
    for i, image in enumerate(images):
        drawn, shares = draws_slowly(image, 5, len(others), 3)
        expected = torch.zeros_like(image)
        for index, share in zip(drawn, shares, strict=True):
            start = others[index]
            point = start + share * (image - start)
            expected += (image - start) * oracles.pixel_gradient(network, point[None], targets[i : i + 1])[0] / 5
        torch.testing.assert_close(maps[i], expected, rtol=1e-9, atol=1e-12)


def test_expected_gradients_of_a_linear_score_are_complete_at_any_number_of_draws(images: Any, others: Any) -> None:
    head = nn.Linear(768, 4)
    linear = nn.Sequential(nn.Flatten(), head).double()
    targets = torch.tensor([[0, 1], [2, 3], [1, 1]])
    maps, notes, _ = noted(linear, images, targets, "expected_gradients", reference=Reference(lambda: others), n=3)
    weights = head.weight.detach()[targets].view(3, 2, 3, 16, 16)
    for i, image in enumerate(images):
        drawn = draws_slowly(image, 3, 5, 0)[0]
        torch.testing.assert_close(maps[i], weights[i] * (image - others[drawn].mean(0)))
    assert tuple(notes["residual"].shape) == (3, 2) and float(notes["residual"].max()) < 1e-9
    assert notes["draws"] == 3 and notes["baseline"] == "5 images of the set"


def test_expected_gradients_state_what_their_sum_misses(images: Any, others: Any) -> None:
    maps, notes, _ = noted(
        SumOfSquares(), images, torch.zeros(3, 1, dtype=torch.long), "expected_gradients",
        reference=Reference(lambda: others), n=4,
    )  # fmt: skip
    for i, image in enumerate(images):
        drawn = draws_slowly(image, 4, 5, 0)[0]
        rise = image.square().sum() - others[drawn].square().sum((1, 2, 3)).mean()
        assert float(notes["residual"][i]) == pytest.approx(float(((maps[i].sum() - rise) / rise).abs()))


def test_expected_gradients_resize_other_images_and_need_one(images: Any, targets: Any, others: Any) -> None:
    network = seeded(Tiny()).double()
    large = torch.cat([others, others.flip(0)], 2)[..., :11].contiguous()
    resized = interpolate(large, size=(16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(
        only(network, images, targets, "expected_gradients", n=2, reference=large),
        only(network, images, targets, "expected_gradients", n=2, reference=resized),
    )
    with pytest.raises(NotApplicable, match="needs other images to compare with; the set has one"):
        only(network, images[:1], targets[:1], "expected_gradients")
    assert only(network, images[:1], targets[:1], "expected_gradients", n=2, reference=large[:1]).abs().max() > 0
    with pytest.raises(BadRequest, match="'n' of expected_gradients is 0; it takes a number from 1"):
        only(network, images, targets, "expected_gradients", n=0)


def test_every_other_image_counts_equally_where_draws_go_round(images: Any, others: Any) -> None:
    head = nn.Linear(768, 2)
    linear = nn.Sequential(nn.Flatten(), head).double()
    maps = only(linear, images, [0, 1, 0], "expected_gradients", n=10, reference=others)
    weights = head.weight.detach()[[0, 1, 0]].view(3, 3, 16, 16)
    torch.testing.assert_close(maps, weights * (images - others.mean(0)), rtol=1e-9, atol=1e-12)


def test_the_standard_error_is_above_the_spread_over_seeds_and_not_far(images: Any, others: Any) -> None:
    subject, (entry,) = Subject(seeded(Tiny()).double(), images[:1]), select(["expected_gradients"])
    maps, variances = [], []
    for seed in range(40):
        tape = Tape(subject, images[:1], reference=Reference(lambda: others), seed=seed)
        with tape.costs.measure() as cost, torch.no_grad():
            maps.append(entry.function(tape, torch.zeros(1, 1, dtype=torch.long), n=4).flatten())
        variances.append((torch.as_tensor(cost.notes["standard_error"])[0, 0] * maps[-1].std(correction=0)).square())
    spread = torch.stack(maps).var(0).mean().sqrt()
    assert 1 < float(torch.stack(variances).mean().sqrt() / spread) < 3
