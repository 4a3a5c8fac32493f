"""Maps at one size, how far they moved, and their energy in a mask: against torch, by hand, and slow replicas."""

import numpy as np
import pytest
import torch

from cnnvis_report.comparison.maps import averaged, mask_energy, moved, upsampled
from cnnvis_report.evaluation.localization import relevance_mass
from cnnvis_report.evaluation.resize import at_size, on_grid
from tests.evaluation.replicas import drawn_map

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize(("height", "width"), [(7, 7), (5, 3), (1, 4), (7, 2)])
def test_averages_are_those_of_torch(height: int, width: int) -> None:
    values = drawn_map(7, 7).astype(np.float64)
    expected = on_grid(torch.from_numpy(values), (height, width)).numpy()
    np.testing.assert_allclose(averaged(values, (height, width)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (14, 14), (9, 30), (224, 31), (3, 5)])
def test_upsampled_maps_are_those_of_torch(height: int, width: int) -> None:
    values = drawn_map(7, 4).astype(np.float64)
    expected = at_size(torch.from_numpy(values), (height, width)).numpy()
    np.testing.assert_allclose(upsampled(values, (height, width)), expected, rtol=1e-12, atol=1e-12)


def slow_ranks(values: list[float]) -> list[float]:
    return [sum(b < a for b in values) + (sum(b == a for b in values) + 1) / 2 for a in values]


def slow_movement(first: list[float], later: list[float]) -> float:
    a, b = np.array(slow_ranks(first)), np.array(slow_ranks(later))
    return float(1 - np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("decimals", [0, 1, 6], ids=["many ties", "few ties", "no tie"])
def test_movement_is_that_of_a_slow_replica(decimals: int) -> None:
    for seed in range(4):
        first = np.round(drawn_map(6, 7, seed=seed), decimals).astype(np.float32)
        later = np.round(drawn_map(6, 7, seed=seed + 50) + first / 2, decimals).astype(np.float32)
        (distance,) = moved([first, later])
        assert distance == pytest.approx(slow_movement(first.ravel().tolist(), later.ravel().tolist()), abs=1e-9)


def test_movement_by_hand() -> None:
    first = drawn_map(8, 8)
    assert moved([first, 3 * first + 1, -first, np.ones_like(first)]) == (0.0, 2.0, None)
    assert moved([np.ones_like(first), first]) == (None,)


def test_maps_of_two_sizes_meet_at_the_coarser_one() -> None:
    coarse = drawn_map(4, 4)
    fine = np.kron(coarse, np.ones((5, 5), np.float32))
    assert moved([coarse, fine, coarse]) == moved([fine, coarse, fine]) == (0.0, 0.0)


def test_fine_maps_meet_at_56_positions_a_side() -> None:
    coarse = drawn_map(56, 56)
    noise = np.tile(np.array([[1, -1], [-1, 1]], np.float32), (56, 56))
    (distance,) = moved([np.kron(coarse, np.ones((2, 2), np.float32)) + 5 * noise, coarse])
    assert distance == pytest.approx(0.0, abs=1e-6), "single pixels decide nothing"


@pytest.mark.parametrize("side", [6, 24], ids=["a layer's map", "a map of pixels"])
def test_energy_in_the_mask_is_the_measure_of_the_run(side: int) -> None:
    mask = np.zeros((24, 24), bool)
    mask[3:11, 5:20] = True
    for seed in range(3):
        values = drawn_map(side, side, seed=seed)
        assert mask_energy(values, mask) == pytest.approx(relevance_mass(values, mask), rel=1e-5)


def test_masks_that_tell_nothing_give_no_energy() -> None:
    values = drawn_map(4, 4)
    nothing = np.zeros((4, 4), bool)
    assert [mask_energy(values, mask) for mask in (None, nothing, ~nothing)] == [None] * 3
    nothing[0, 0] = True
    assert mask_energy(-np.abs(values), nothing) == 0.0
