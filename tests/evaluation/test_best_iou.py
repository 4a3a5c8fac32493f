"""The best intersection over union, threshold by threshold."""

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.localization import largest_iou
from cnnvis_report.records.methods import Array
from tests.evaluation.replicas import drawn_map, slow_bilinear

pytestmark = pytest.mark.numeric

MASK = np.zeros((6, 8), dtype=bool)
MASK[1:4, 2:5] = True


def slow_iou(values: Array) -> float:
    found = []
    for threshold in sorted(set(values.ravel().tolist())):
        shown = values >= threshold
        found.append((shown & MASK).sum() / (shown | MASK).sum())
    return float(max(found))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [0, 1, 7])
def test_it_equals_the_replica_with_ties_too(seed: int, decimals: int) -> None:
    values = np.round(drawn_map(6, 8, seed=seed), decimals)
    assert largest_iou(values, MASK) == pytest.approx(slow_iou(values))


def test_a_smaller_map_is_upsampled() -> None:
    values = drawn_map(3, 4, seed=2)
    assert largest_iou(values, MASK) == pytest.approx(slow_iou(slow_bilinear(values, (6, 8)).astype(np.float32)))


def test_cases_by_hand() -> None:
    assert largest_iou(np.where(MASK, 2.0, -1.0).astype(np.float32), MASK) == 1
    assert largest_iou(np.zeros((6, 8), dtype=np.float32), MASK) == 9 / 48, "the whole image"
    assert largest_iou(np.where(MASK, 0.0, 1.0).astype(np.float32), MASK) == 9 / 48
    assert largest_iou(drawn_map(6, 8), np.ones_like(MASK)) == 1
    half = np.zeros((6, 8), dtype=np.float32)
    half[1:4, 2:4] = 1
    assert largest_iou(half, MASK) == 6 / 9
    with pytest.raises(BadRequest, match="empty"):
        largest_iou(half, np.zeros_like(MASK))


def test_random_maps_of_many_pixels_reach_the_masks_share() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask[20:60, 20:60] = True
    scores = [largest_iou(drawn_map(100, 100, seed=seed), mask) for seed in range(20)]
    assert min(scores) >= 0.16 and np.mean(scores) == pytest.approx(0.16, abs=0.002)
