"""Maps in half precision: how far they are from what was computed, at any size of their values."""

import numpy as np
import pytest

from cnnvis_report.store.array_files.half import halved, is_scale, restored

LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


@pytest.mark.parametrize("largest", [1e-30, 3e-5, 1.0, 5.4, 1e20], ids=str)
def test_a_value_differs_by_a_2048th_of_itself(largest: float) -> None:
    values = np.random.default_rng(0).normal(size=(50, 60)).astype(np.float32)
    values *= np.float32(largest / np.abs(values).max())
    half, scale = halved(values)
    assert half.dtype == np.float16 and 0.5 <= np.abs(half).max() < 1 and is_scale(scale)
    difference = np.abs(restored(half, scale).astype(np.float64) - values)
    bound = np.maximum(np.abs(values) / 2048, np.abs(values).max() / 2**25)
    assert (difference <= bound).all()
    assert difference.max() > np.abs(values).max() / 2**14, "and by no less than half precision has to"


@pytest.mark.parametrize("values", [0.0, LARGEST, -LARGEST, SMALLEST, 1 - 2.0**-24, 0.5, -1.0], ids=str)
def test_the_ends_of_single_precision_stay_within_it(values: float) -> None:
    single = np.full((2, 3), values, dtype=np.float32)
    half, scale = halved(single)
    back = restored(half, scale)
    assert is_scale(scale) and np.isfinite(back).all() and (np.sign(back) == np.sign(single)).all()
    np.testing.assert_allclose(back, single, rtol=2.0**-11)


def test_plain_numpy_gives_the_same_map() -> None:
    values = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32) * 37
    half, scale = halved(values)
    np.testing.assert_array_equal(half * np.asarray([scale]), restored(half, scale))


@pytest.mark.parametrize("scale", [0.0, -2.0, 3.0, 2.0**200, float("nan"), float("inf")], ids=str)
def test_no_other_number_is_a_scale(scale: float) -> None:
    assert not is_scale(scale)
