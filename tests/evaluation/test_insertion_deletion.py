"""Insertion and deletion curves against a replica, closed forms, and their areas."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.insertion_deletion import area, blurred, deletion_curves, insertion_curves, ranking
from cnnvis_report.evaluation.resize import at_size
from tests.evaluation.replicas import Watched, drawn, linear, slow_curve, slow_order
from tests.networks import Awkward, Tiny

pytestmark = pytest.mark.numeric


GREY = torch.zeros(3, 1, 1, dtype=torch.float64)


@pytest.mark.parametrize(
    ("probability", "steps"),
    [(Tiny, 1), (Tiny, 7), (Tiny, 150), (Awkward, 7)],
    indirect=["probability"],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_deletion_and_insertion_equal_the_replica(image: Any, probability: Any, steps: Any) -> None:
    maps = [drawn(13, 11, seed=2), drawn(4, 3, seed=3), drawn(13, 11, seed=4).relu()]
    targets = torch.tensor([2, 0, 2])
    baseline = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64).view(3, 1, 1)
    curves = {
        "deletion": deletion_curves(image, maps, targets, probability, baseline, steps=steps, capacity=16),
        "insertion": insertion_curves(image, maps, targets, probability, steps=steps, capacity=16, sigma=2.0),
    }
    assert not any(curve.requires_grad for curve in curves.values()), "nothing holds on to a graph"
    paths = {"deletion": (image, baseline.expand_as(image)), "insertion": (blurred(image, 2.0), image)}
    for j, (values, target) in enumerate(zip(maps, targets.tolist(), strict=True)):
        # the map's size is seen to above; its rounding must be the same here, or the order of neighbors isn't
        seen = at_size(values, (13, 11)).numpy()
        for name, (start, end) in paths.items():
            expected = slow_curve(start, end, seen, target, probability, steps)
            np.testing.assert_allclose(curves[name][j].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_curves_begin_and_end_where_they_should(image: Any, probability: Any) -> None:
    target, maps = torch.tensor([3]), [drawn(5, 5)]
    clean, gray = probability(torch.stack([image, GREY.expand_as(image)]))[:, 3].tolist()
    left = deletion_curves(image, maps, target, probability, GREY, steps=5, capacity=8)[0].tolist()
    entered = insertion_curves(image, maps, target, probability, steps=5, capacity=8)[0].tolist()
    assert (left[0], left[-1], entered[-1]) == pytest.approx((clean, gray, clean), rel=1e-12)
    assert entered[0] == pytest.approx(probability(blurred(image, 5.0)[None])[0, 3].item(), rel=1e-12)


def test_deletion_of_a_linear_score_has_a_closed_form() -> None:
    # contributions 1..6, the largest first: 21, 15, 10, 6, 3, 1, 0; the trapezoids sum to 56 - 21/2
    image = torch.tensor([[[3.0, 1, 6], [2, 5, 4]]], dtype=torch.float64)
    targets = torch.tensor([0, 1, 0])
    zero = torch.zeros(1, 1, 1, dtype=torch.float64)
    curves = deletion_curves(image, [image[0], image[0], -image[0]], targets, linear(1), zero, steps=6, capacity=4)
    assert curves[0].tolist() == [21, 15, 10, 6, 3, 1, 0]
    assert area(curves)[:2].tolist() == pytest.approx([45.5 / 6, 91 / 6])
    assert curves[2].tolist() == [21, 20, 18, 15, 11, 6, 0], "the other way round"
    halves = deletion_curves(image, [image[0]], targets[:1], linear(1), zero, steps=4, capacity=4)
    assert halves[0].tolist() == [21, 10, 6, 1, 0], "after step s the ceil(6s/4) first have gone: 0, 2, 3, 5, 6"


def test_area_of_a_falling_line_is_a_half() -> None:
    assert area(torch.linspace(1, 0, 9, dtype=torch.float64)[None]).tolist() == pytest.approx([0.5])
    assert area(torch.tensor([[1.0, 1.0, 0.0]])).tolist() == pytest.approx([0.75])


@pytest.mark.parametrize("capacity", [1, 2, 5, 1000])
def test_chunks_do_not_matter_and_stay_within_the_capacity(image: Any, probability: Any, capacity: Any) -> None:
    maps, targets = [drawn(13, 11, seed=j) for j in range(3)], torch.tensor([0, 4, 4])
    before = image.clone()
    score = Watched(probability)
    found = deletion_curves(image, maps, targets, score, GREY, steps=6, capacity=capacity)
    expected = deletion_curves(image, maps, targets, probability, GREY, steps=6, capacity=7)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert score.images == 3 * 5 + 2, "ends are the same for all maps"
    assert score.largest <= capacity
    assert torch.equal(image, before), "what a network does to its input doesn't reach the image"


def test_equal_values_go_in_an_order_without_a_corner() -> None:
    places = ranking(torch.zeros(1, 40 * 40), seed=0).view(40, 40).double()
    assert sorted(places.flatten().tolist()) == list(range(1600))
    rest = (1600 - 1) / 2
    spread = 1600 / math.sqrt(12 * 800)  # standard deviation of the mean place of one half
    for half in (places[:20], places[20:], places[:, :20], places[:, 20:], places[::2], places[:, ::2]):
        assert float(half.mean()) == pytest.approx(rest, abs=3 * spread)
    assert not torch.equal(ranking(torch.zeros(1, 1600), seed=1).view(40, 40), places.long())


def test_a_tie_costs_all_maps_alike() -> None:
    values = torch.tensor([[0.0, 2, 0, 1, 0, 0, 2], [5.0, 5, 5, 5, 5, 5, 5], [0, 0, 0, 0, 0, 0, 0]])
    places = ranking(values, seed=4)
    for row, found in zip(values, places, strict=True):
        assert found.argsort().tolist() == slow_order(row.numpy(), seed=4)
    assert torch.equal(places[1], places[2])


@pytest.mark.parametrize(
    ("sides", "sigma", "reach"),
    [((7, 9), 1.3, (4, 4)), ((9, 3), 1.3, (4, 2)), ((7, 6), 5.0, (6, 5))],
    ids=["three-sigma", "narrow", "cut-at-both-sides"],
)
def test_blur_equals_the_replica_and_is_cut_at_the_side(image: Any, sides: Any, sigma: Any, reach: Any) -> None:
    picture = image[:, : sides[0], : sides[1]]
    height, width = picture.shape[1:]
    expected = torch.zeros_like(picture)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for dy in range(-reach[0], reach[0] + 1):
                for dx in range(-reach[1], reach[1] + 1):
                    v, u = abs(y + dy), abs(x + dx)
                    v, u = min(v, 2 * (height - 1) - v), min(u, 2 * (width - 1) - u)
                    weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma**2))
                    total += weight
                    expected[:, y, x] += weight * picture[:, v, u]
            expected[:, y, x] /= total
    torch.testing.assert_close(blurred(picture, sigma), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("steps", "capacity"), [(0, 4), (4, 0)])
def test_steps_and_capacity_below_one_are_refused(image: Any, steps: Any, capacity: Any) -> None:
    with pytest.raises(BadRequest, match="≥ 1"):
        deletion_curves(image, [drawn(2, 2)], torch.tensor([0]), linear(1), GREY, steps=steps, capacity=capacity)
