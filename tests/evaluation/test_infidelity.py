"""Infidelity against a slow replica of its definition, and in cases whose value is known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.evaluation.infidelity import (
    SQUARES,
    infidelities,
    optimally_scaled,
    random_squares,
    relative_infidelities,
)
from cnnvis_report.evaluation.removal import blindness, score_drops, sums_within
from tests.evaluation.replicas import Watched, drawn, linear, noise

pytestmark = pytest.mark.numeric

IMAGE = drawn(3, 13, 11)
GRAY = torch.full_like(IMAGE, 0.2)
SQUARES_OF_IMAGE = random_squares((13, 11), 20, noise())


def slow_infidelity(values: Tensor, factor: float, target: int, score: object) -> float:
    """E[(I·phi - (f(x) - f(x - I)))²], pixel by pixel."""
    errors = []
    for removed in SQUARES_OF_IMAGE:
        left, predicted = IMAGE.clone(), 0.0
        for y, x in removed.nonzero().tolist():
            predicted += factor * float(values[y, x])
            left[:, y, x] = GRAY[:, y, x]
        drop = float((score(IMAGE[None].clone()) - score(left[None]))[0, target])  # type: ignore[operator]
        errors.append((predicted - drop) ** 2)
    return float(np.mean(errors))


@pytest.mark.parametrize("factor", [0.3, 1.0])
def test_it_equals_the_replica(probability: object, factor: float) -> None:
    maps = [drawn(13, 11, seed=seed) for seed in (1, 2)]
    found = score_drops(IMAGE, GRAY, SQUARES_OF_IMAGE, 2, probability, capacity=7)  # type: ignore[arg-type]
    sums = factor * sums_within(maps, SQUARES_OF_IMAGE)
    assert infidelities(sums, found).tolist() == pytest.approx(
        [slow_infidelity(values, factor, 2, probability) for values in maps], rel=1e-9
    )


def test_the_scale_is_the_best_one_that_is_not_negative() -> None:
    generator = np.random.default_rng(0)
    sums, found = (torch.from_numpy(generator.normal(size=shape)) for shape in ((6, 40), (40,)))
    best = infidelities(optimally_scaled(sums, found), found)
    for factor in np.linspace(0, 2, 2001):
        assert (infidelities(factor * sums, found) >= best - 1e-9).all(), factor
    squared_cosines = torch.cosine_similarity(sums, found[None]).clamp(min=0) ** 2
    assert torch.allclose(relative_infidelities(sums, found), 1 - squared_cosines)


def test_contributions_of_a_linear_score_predict_every_drop() -> None:
    weights = drawn(3, 13, 11, seed=5)
    found = score_drops(IMAGE, GRAY, SQUARES_OF_IMAGE, 1, linear(weights), capacity=3)
    contributions = 2 * (weights * (IMAGE - GRAY)).sum(0)
    maps = [contributions, 1e-6 * contributions, -contributions, torch.zeros(13, 11).double()]
    sums = sums_within(maps, SQUARES_OF_IMAGE)
    assert infidelities(sums, found)[0] == pytest.approx(0, abs=1e-20)
    assert relative_infidelities(sums, found).tolist() == pytest.approx([0, 0, 1, 1], abs=1e-12)


def test_squares_lie_within_the_image_and_have_all_sides() -> None:
    squares = random_squares((40, 60), 400, noise(3))
    assert squares.shape == (400, 40, 60) and SQUARES == 100
    sides = set()
    for square in squares:
        rows, columns = square.any(1).nonzero()[:, 0], square.any(0).nonzero()[:, 0]
        assert len(rows) == len(columns) == rows[-1] - rows[0] + 1
        assert int(square.sum()) == len(rows) ** 2
        sides.add(len(rows))
    assert sides == set(range(5, 21))
    assert squares.any(0)[4:-4, 4:-4].all(), "all but pixels near the edge are removed at some time"
    assert random_squares((1, 1), 3, noise()).all()


def test_the_drops_of_an_image_cost_the_same_for_any_number_of_maps() -> None:
    score = Watched(linear(drawn(3, 13, 11, seed=5)))
    score_drops(IMAGE, GRAY, SQUARES_OF_IMAGE, 0, score, capacity=6)
    assert (score.images, score.largest) == (21, 6)


def test_a_score_that_never_changes_tells_nothing() -> None:
    assert blindness(score_drops(IMAGE, GRAY, SQUARES_OF_IMAGE, 0, linear(0), capacity=6))
    assert not blindness(score_drops(IMAGE, GRAY, SQUARES_OF_IMAGE, 0, linear(1), capacity=6))
