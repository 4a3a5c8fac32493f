"""The pointing game, peak by peak."""

import math

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.pointing_game import peak_inside
from tests.evaluation.replicas import drawn_map

pytestmark = pytest.mark.numeric


MASK = np.zeros((6, 8), dtype=bool)
MASK[1:4, 2:5] = True


def test_the_peak_hits_within_a_circle() -> None:
    for y in range(6):
        for x in range(8):
            values = np.zeros((6, 8), dtype=np.float32)
            values[y, x] = 1
            nearest = min(math.hypot(y - v, x - u) for v in range(6) for u in range(8) if MASK[v, u])
            for tolerance in range(5):
                assert peak_inside(values, MASK, tolerance) == (nearest <= tolerance), (y, x, tolerance)
            assert peak_inside(values, MASK) == MASK[y, x]
            assert not peak_inside(values, np.zeros_like(MASK), 100), "there is nothing to hit"
    assert not peak_inside(np.ones((6, 8), dtype=np.float32), MASK, 100), "a flat map points nowhere"
    assert peak_inside(np.array([[0, 0], [1, 0]], dtype=np.float32), np.array([[0] * 4] * 3 + [[1, 0, 0, 0]]) > 0)
    with pytest.raises(BadRequest, match="-1"):
        peak_inside(drawn_map(6, 8), MASK, -1)
