"""Damaged images of all formats are read, or refused in one line; `tests/benchmarks/fuzz_images.py` tries more."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnvis_report.data.pixels import UnusablePicture
from tests.image_samples import Sample, damaged, samples
from tests.picture_reading import read_picture

SAMPLES = samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{name} {number}" for number, (name, _, _) in enumerate(SAMPLES)])
def test_a_sample_is_read_as_it_is(sample: Sample) -> None:
    _, ending, content = sample
    assert read_picture(io.BytesIO(content), ending=ending).size in {(48, 40), (40, 48)}


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_a_damaged_image_is_read_or_refused_in_one_line(sample: Sample, seed: int, page: int) -> None:
    _, ending, _ = sample
    try:
        assert min(read_picture(io.BytesIO(damaged(sample, seed)), page, ending=ending).size) > 0
    except UnusablePicture as error:
        assert str(error) and "\n" not in str(error)
