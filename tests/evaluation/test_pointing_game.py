"""The pointing game, peak by peak."""

import math

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.localization import peak_share, tolerance_of, within
from cnnvis_report.evaluation.metric import Mask
from tests.evaluation.replicas import drawn_map

pytestmark = pytest.mark.numeric


MASK = np.zeros((6, 8), dtype=bool)
MASK[1:4, 2:5] = True


def slow_within(mask: Mask, tolerance: float) -> Mask:
    near = np.zeros_like(mask)
    for y, x in np.ndindex(mask.shape):
        near[y, x] = any(math.hypot(y - v, x - u) <= tolerance for v, u in np.argwhere(mask))
    return near


@pytest.mark.parametrize("tolerance", [0, 0.9, 1, 1.5, 2, 2.9, 4, 100])
def test_the_tolerance_is_a_circle(tolerance: float) -> None:
    for seed in range(4):
        mask = drawn_map(6, 9, seed=seed) > 1.2
        assert np.array_equal(within(mask, tolerance), slow_within(mask, tolerance)), seed
    assert np.array_equal(within(MASK, tolerance), slow_within(MASK, tolerance))


def test_masks_at_the_ends() -> None:
    assert not within(np.zeros_like(MASK), 100).any(), "there is nothing to hit"
    assert within(np.ones_like(MASK), 0).all()
    assert np.array_equal(within(np.eye(1, 5, dtype=bool), 1.0)[0], [True, True, False, False, False])
    with pytest.raises(BadRequest, match="-1"):
        within(MASK, -1)


def test_the_tolerance_grows_with_the_image() -> None:
    assert tolerance_of(np.zeros((224, 224), dtype=bool)) == 15
    assert tolerance_of(np.zeros((448, 640), dtype=bool)) == 30


def test_a_peak_hits_where_the_area_is() -> None:
    for y, x in np.ndindex(MASK.shape):
        values = np.zeros((6, 8), dtype=np.float32)
        values[y, x] = 1
        assert peak_share(values, MASK) == MASK[y, x]
        assert peak_share(values, np.zeros_like(MASK)) == 0


def test_pixels_that_share_the_peak_share_the_hit() -> None:
    values = np.zeros((6, 8), dtype=np.float32)
    values[1, 2] = values[0, 0] = values[5, 7] = 3
    assert peak_share(values, MASK) == pytest.approx(1 / 3)
    assert peak_share(np.full((6, 8), 2, dtype=np.float32), MASK) == 9 / 48, "a flat map scores what chance gives"


def test_a_smaller_map_is_upsampled() -> None:
    corner = np.array([[0] * 4] * 3 + [[1, 0, 0, 0]], dtype=bool)
    assert peak_share(np.array([[0, 0], [1, 0]], dtype=np.float32), corner) == 1


def test_random_maps_hit_as_often_as_the_area_is_large() -> None:
    area = within(MASK, 1.0)
    hits = [peak_share(drawn_map(6, 8, seed=seed), area) for seed in range(2000)]
    chance = float(area.mean())
    assert np.mean(hits) == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / len(hits)))
