"""Curves that take more points where they need them, against replicas and closed forms."""

import math
from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.perturbation_curves import Curve, Path, Refinement, follow
from cnnvis_report.evaluation.pixel_order import pixel_orders
from cnnvis_report.evaluation.resize import at_size
from tests.evaluation.replicas import Watched, drawn, slow_curve
from tests.networks import Awkward, Tiny

pytestmark = pytest.mark.numeric

ZERO = torch.zeros(3, 13, 11, dtype=torch.float64)
COARSE = Refinement(steps=7, tolerance=1.0, finest=1, flat=(0.0, 0.0))


def only(steps: int, finest: int = 0, tolerance: float = 0.01) -> Refinement:
    return Refinement(steps=steps, tolerance=tolerance, finest=finest or steps, flat=(0.0,))


def second_and_third(probability: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda images: probability(images)[:, 1:3]


@pytest.mark.parametrize("probability", [Tiny, Awkward], indirect=True, ids=lambda value: value.__name__)
def test_points_equal_the_replica_on_every_path_and_score(
    image: Tensor, probability: Callable[[Tensor], Tensor]
) -> None:
    maps = [drawn(13, 11, seed=2), drawn(4, 3, seed=3), drawn(13, 11, seed=4).relu()]
    orders, of_map = pixel_orders(maps, (13, 11), seed=0)
    assert of_map == [0, 1, 2]
    paths = [Path(image, ZERO), Path(ZERO, image)]
    curves = follow(paths, orders, second_and_third(probability), COARSE, capacity=16)
    for path, row in zip(paths, curves, strict=True):
        for values, curve in zip(maps, row, strict=True):
            # the map's size is seen to elsewhere; its rounding must be the same here, or the order of neighbors isn't
            seen = at_size(values, (13, 11)).numpy()
            assert curve.changed.tolist() == [round(143 * (1 - math.cos(math.pi * step / 7)) / 2) for step in range(8)]
            for column in range(2):
                expected = slow_curve(path.start, path.end, seen, column + 1, probability, curve.changed.tolist())
                np.testing.assert_allclose(curve.scores[:, column], expected, rtol=1e-9, atol=1e-12)


def ramp(curve: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A score that depends on the fraction of pixels that are 1 alone."""
    return lambda images: curve(images.mean((1, 2, 3)))[:, None]


def one_curve(score: Callable[[Tensor], Tensor], refinement: Refinement, side: int = 64, capacity: int = 8) -> Curve:
    zero = torch.zeros(1, side, side, dtype=torch.float64)
    orders, _ = pixel_orders([drawn(side, side)], (side, side), seed=0)
    return follow([Path(zero, torch.ones_like(zero))], orders, score, refinement, capacity=capacity)[0][0]


def test_a_step_is_followed_finely_where_it_is_and_nowhere_else() -> None:
    curve = one_curve(ramp(lambda x: (x > 0.3).double()), only(steps=8, finest=4096))
    assert float(curve.area[0]) == pytest.approx(0.7, abs=0.01)
    assert len(curve.changed) < 30, "bisection, on both sides"
    widths = np.diff(curve.changed)
    assert widths[np.searchsorted(curve.changed, 0.3 * 4096) - 1] < 4096 / 32
    assert widths[curve.changed[1:] > 0.5 * 4096].max() > 600, "nothing is looked for where nothing changes"


@pytest.mark.parametrize("power", [1, 2, 5, 20])
@pytest.mark.parametrize("side", [64, 65])
def test_the_area_is_known_within_the_tolerance(power: int, side: int) -> None:
    curve = one_curve(ramp(lambda x: x**power), only(steps=4, finest=4096), side=side)
    assert float(curve.area[0]) == pytest.approx(1 / (power + 1), abs=0.01)


def test_a_straight_curve_needs_no_more_points() -> None:
    assert len(one_curve(ramp(lambda x: 3 - x), only(steps=8, finest=4096)).changed) == 9


def test_a_flat_curve_takes_no_more_points_and_none_is_finer_than_the_finest() -> None:
    flat = one_curve(ramp(lambda x: 0 * x), only(steps=8, finest=4096))
    assert len(flat.changed) == 9 and flat.area.tolist() == [0]
    rough = one_curve(ramp(lambda x: torch.sin(99 * x) + x), only(steps=8, finest=32, tolerance=0.0))
    assert 17 < len(rough.changed) < 66
    added = np.setdiff1d(rough.changed, one_curve(ramp(lambda x: x), only(steps=8)).changed)
    assert min(np.diff(rough.changed)[np.isin(rough.changed[1:], added)]) >= 4096 / 32


def test_a_curve_on_straight_lines_keeps_its_area() -> None:
    curve = Curve(np.array([0.0, 1, 4]), np.array([[1.0], [3], [0]]), 4)
    assert curve.area.tolist() == [(2 + 4.5) / 4]
    assert curve.at(4)[:, 0].tolist() == [1, 3, 2, 1, 0]


@pytest.mark.parametrize("capacity", [1, 2, 5, 1000])
def test_batches_do_not_matter_and_stay_within_the_capacity(
    image: Tensor, probability: Callable[[Tensor], Tensor], capacity: int
) -> None:
    orders, _ = pixel_orders([drawn(13, 11, seed=j) for j in range(3)], (13, 11), seed=0)
    paths, before = [Path(image, ZERO), Path(ZERO, image)], image.clone()
    watched = Watched(second_and_third(probability))
    curves = follow(paths, orders, watched, COARSE, capacity=capacity)
    others = follow(paths, orders, second_and_third(probability), COARSE, capacity=7)
    for curve, other in zip(chain(*curves), chain(*others), strict=True):
        np.testing.assert_allclose(curve.scores, other.scores, rtol=1e-9, atol=1e-12)
    assert watched.images == 2 + 2 * 3 * 6, "pictures at the ends are scored once for all paths and maps"
    assert watched.largest <= capacity
    assert torch.equal(image, before), "what a network does to its input doesn't reach the image"


def test_scores_that_are_no_numbers_end_the_refinement() -> None:
    curve = one_curve(ramp(lambda x: torch.where(x > 0.5, torch.nan, x)), only(steps=4, finest=64))
    assert len(curve.changed) < 64 and np.isnan(curve.area[0])


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_fewer_pixels_than_steps(pixels: int) -> None:
    zero = torch.zeros(1, 1, pixels, dtype=torch.float64)
    orders = torch.arange(pixels, dtype=torch.int32).view(1, 1, pixels)
    ((curve,),) = follow([Path(zero, zero + 1)], orders, ramp(lambda x: x), only(steps=32), capacity=4)
    assert curve.changed.tolist() == list(range(pixels + 1)) and float(curve.area[0]) == pytest.approx(0.5)


@pytest.mark.parametrize(("steps", "capacity"), [(0, 4), (4, 0)], ids=["no-steps", "no-capacity"])
def test_steps_and_capacity_below_one_are_refused(steps: int, capacity: int) -> None:
    with pytest.raises(BadRequest, match="≥ 1"):
        one_curve(ramp(lambda x: x), only(steps=steps, finest=4), capacity=capacity)


def fall(center: float) -> Callable[[Tensor], Tensor]:
    """From 1 to 0 within a twentieth of the pixels, as probabilities of photographs do."""
    return lambda x: torch.sigmoid((center - x) * 160)


def fall_area(center: float) -> float:
    """The integral from 0 to 1, by the antiderivative -ln(1 + exp(160 (center - x))) / 160."""
    return (math.log1p(math.exp(160 * center)) - math.log1p(math.exp(160 * (center - 1)))) / 160


LIMITED = Refinement(steps=2, tolerance=1 / 64, finest=128, flat=(0.05,), passes=8)


def test_eight_passes_for_two_curves_are_as_exact_as_sixteen_even_steps_each() -> None:
    """On average over where the score falls; evenly, that takes thirty passes, and eight miss four times as much."""
    zero = torch.zeros(1, 64, 64, dtype=torch.float64)
    one = zero + 1
    orders, _ = pixel_orders([drawn(64, 64)], (64, 64), seed=0)
    limited, evenly = [], {5: list[float](), 16: list[float]()}
    for center in np.linspace(0.02, 0.98, 33):
        watched = Watched(ramp(fall(center)))
        curves = [row[0] for row in follow([Path(zero, one), Path(one, zero)], orders, watched, LIMITED, capacity=8)]
        assert watched.images == 2 + 8 == 2 + sum(len(curve.changed) - 2 for curve in curves)
        limited += [abs(float(curve.area[0]) - fall_area(center)) for curve in curves]
        for steps, errors in evenly.items():
            points = np.linspace(0, 1, steps + 1)
            area = float(torch.trapezoid(fall(center)(torch.from_numpy(points)), torch.from_numpy(points)))
            errors.append(abs(float(area) - fall_area(center)))
    assert np.mean(limited) <= np.mean(evenly[16]) and np.mean(limited) <= np.mean(evenly[5]) / 4


def test_passes_that_are_limited_go_where_the_first_score_changes() -> None:
    curve = one_curve(ramp(fall(0.1)), LIMITED)
    inside = curve.changed[1:-1] / curve.pixels
    assert inside.tolist() == [0.0625, 0.09375, 0.125, 0.25, 0.5]


def test_a_curve_that_is_known_or_flat_takes_no_limited_passes() -> None:
    assert len(one_curve(ramp(lambda x: 0 * x), LIMITED).changed) == 3
    assert len(one_curve(ramp(lambda x: 0.04 * x), LIMITED).changed) == 3
    smallest = one_curve(ramp(fall(0.5)), LIMITED, side=2)
    assert smallest.changed.tolist() == [0, 1, 2, 3, 4]


def test_a_curve_backward_has_the_same_area_and_its_points_from_the_end() -> None:
    curve = one_curve(ramp(lambda x: x**3), only(steps=5)).backward
    other = one_curve(ramp(lambda x: (1 - x) ** 3), only(steps=5))
    assert curve.changed.tolist() == other.changed.tolist()
    np.testing.assert_allclose(curve.scores, other.scores, atol=1e-12)
