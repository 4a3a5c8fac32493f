"""Relevance mass and relevance rank accuracy, pixel by pixel and by hand."""

from typing import Any

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.localization import relevance_mass, relevance_rank
from tests.evaluation.replicas import drawn_map, slow_bilinear

pytestmark = pytest.mark.numeric


MASK = np.zeros((6, 8), dtype=bool)
MASK[1:4, 2:5] = True


@pytest.mark.parametrize("shape", [(6, 8), (3, 4), (2, 5)])
def test_mass_and_rank_equal_the_replica(shape: Any) -> None:
    for seed in range(5):
        values = drawn_map(*shape, seed=seed)
        seen = slow_bilinear(values, (6, 8))
        places = [(y, x) for y in range(6) for x in range(8)]
        inside = sum(max(seen[place], 0) for place in places if MASK[place])
        assert relevance_mass(values, MASK) == pytest.approx(inside / sum(max(seen[p], 0) for p in places), rel=1e-5)
        best = sorted(places, key=lambda place: -seen[place])[:9]
        assert relevance_rank(values, MASK) == pytest.approx(sum(bool(MASK[place]) for place in best) / 9)


def test_mass_and_rank_by_hand() -> None:
    inside = np.where(MASK, 2.0, 0.0).astype(np.float32)
    assert (relevance_mass(inside, MASK), relevance_rank(inside, MASK)) == (1, 1)
    assert (relevance_mass(inside - 2, MASK), relevance_rank(inside - 2, MASK)) == (0, 1), "no positive value"
    outside = np.where(MASK, -5.0, 1.0).astype(np.float32)
    assert (relevance_mass(outside, MASK), relevance_rank(outside, MASK)) == (0, 0)
    level = np.ones((6, 8), dtype=np.float32)
    assert (relevance_mass(level, MASK), relevance_rank(level, MASK)) == pytest.approx((9 / 48, 9 / 48))
    level[5, 7] = 2  # first of nine; the other eight are drawn from 47, of which the mask has 9
    assert relevance_rank(level, MASK) == pytest.approx(8 * 9 / 47 / 9)
    everything = np.ones_like(MASK)
    assert relevance_rank(drawn_map(6, 8), everything) == relevance_mass(drawn_map(6, 8), everything) == 1


def test_rank_gives_ties_what_all_orders_give_on_average() -> None:
    values = np.round(drawn_map(6, 8))
    orders = np.random.default_rng(0)
    shares = []
    for _ in range(4000):
        best = np.lexsort((orders.random(48), -values.ravel()))[:9]
        shares.append(MASK.ravel()[best].mean())
    assert relevance_rank(values, MASK) == pytest.approx(np.mean(shares), abs=0.01)


@pytest.mark.parametrize("measure", [relevance_mass, relevance_rank])
def test_an_empty_mask_is_refused(measure: Any) -> None:
    with pytest.raises(BadRequest, match="empty"):
        measure(drawn_map(6, 8), np.zeros((6, 8), dtype=bool))
