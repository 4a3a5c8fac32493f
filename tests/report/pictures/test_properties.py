"""What holds of every map that a page carries, whatever its values."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnnvis_report.records.methods import Sign
from cnnvis_report.report.pictures.encode import (
    EXACT_PIXELS_UP_TO,
    EXACT_UP_TO,
    QUALITIES,
    Quality,
    compand,
    encode_maps,
    expand,
    halve,
)
from tests.report.pictures.decoding import decode_maps

properties = settings(deadline=None, derandomize=True, max_examples=60)
SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))
FINE = st.sampled_from([quality for quality in QUALITIES if not quality.halved])


def maps(sides: Any = SIDES, *, signed: Any = True) -> Any:
    """Single-precision maps: plain numbers, exact zeros, and magnitudes that differ by orders."""
    value = st.floats(-1e6 if signed else 0, 1e6, width=32, allow_subnormal=False)
    return arrays.arrays(np.float32, sides, elements=value, fill=st.just(0.0))


@properties
@given(maps(st.tuples(st.integers(20, 40), st.integers(20, 40))), FINE)
def test_signed_values_come_back_within_the_stated_error(values: Any, quality: Any) -> None:
    shown = decode_maps(encode_maps([values], Sign.SIGNED, quality, coarse=False))[0]
    assert np.abs(shown - values).max() <= np.abs(values).max() * (quality.error + 1e-6)
    assert (np.sign(shown) * np.sign(values) >= 0).all(), "no value changes its sign"


@properties
@given(maps(st.tuples(st.integers(20, 40), st.integers(20, 40)), signed=False), FINE)
def test_positive_values_come_back_within_the_stated_error(values: Any, quality: Any) -> None:
    shown = decode_maps(encode_maps([values], Sign.POSITIVE, quality, coarse=False))[0]
    assert np.abs(shown - values).max() <= np.abs(values).max() * (quality.error + 1e-6)
    assert (shown >= 0).all()


@properties
@given(maps(), st.booleans())
def test_small_maps_come_back_exactly(values: Any, coarse: Any) -> None:
    code = encode_maps([values], Sign.SIGNED, QUALITIES[0], coarse=coarse)[0]
    exact = values.size <= (EXACT_UP_TO if coarse else EXACT_PIXELS_UP_TO)
    assert (code["steps"] == 0) is exact
    assert not exact or np.array_equal(decode_maps([code])[0], values)


@properties
@given(arrays.arrays(np.uint8, SIDES), st.booleans(), st.sampled_from([15, 31, 127]), st.floats(1e-3, 1e6))
def test_what_was_expanded_is_companded_to_the_same_steps(levels: Any, signed: Any, steps: Any, largest: Any) -> None:
    levels = np.minimum(levels, 2 * steps if signed else steps)
    values = expand(levels, largest, signed, steps)
    np.testing.assert_array_equal(compand(values, largest, signed, steps), levels)


@properties
@given(maps())
def test_halving_keeps_the_ends_and_the_shape(values: Any) -> None:
    small = halve(values)
    assert small.shape == tuple((side + 1) // 2 for side in values.shape)
    assert small.min() >= values.min() - 1e-6 * abs(values.min())
    assert small.max() <= values.max() + 1e-6 * abs(values.max())
    if not any(side % 2 for side in values.shape):
        np.testing.assert_allclose(small.mean(dtype=float), values.mean(dtype=float), rtol=1e-4, atol=1e-1)


@properties
@given(st.integers(3, 126))
def test_more_steps_never_have_a_larger_error(steps: Any) -> None:
    assert Quality(steps + 1).error < Quality(steps).error
