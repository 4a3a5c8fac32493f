"""What holds of every preprocessing, whatever its numbers and the picture."""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms.functional import center_crop

from cnnvis_report.data.preprocessing.geometry import fit, kept_size, resized_size
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing

properties = settings(deadline=None, derandomize=True, max_examples=60)
UNIT = st.floats(0.05, 1.0)
SIDE = st.integers(1, 48)
SIZES = st.tuples(SIDE, SIDE)


@st.composite
def normalizations(draw: Any) -> Any:
    channels = draw(st.sampled_from([1, 3]))
    constants = st.lists(UNIT, min_size=channels, max_size=channels).map(tuple)
    return Preprocessing(mean=draw(constants), std=draw(constants))


@st.composite
def geometries(draw: Any) -> Any:
    resize = draw(st.none() | SIDE | SIZES)
    return Preprocessing((0.0,), (1.0,), resize=resize, crop=draw(st.none() | SIZES))


@properties
@given(normalizations(), st.integers(0, 2**31))
def test_restoring_undoes_normalizing(preprocessing: Any, seed: int) -> None:
    pixels = torch.rand(
        2, preprocessing.channels, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    torch.testing.assert_close(preprocessing.restore(preprocessing.normalize(pixels)), pixels)


@properties
@given(normalizations())
def test_black_is_what_a_black_pixel_becomes(preprocessing: Any) -> None:
    pixel = torch.zeros(preprocessing.channels, 1, 1, dtype=torch.float64)
    torch.testing.assert_close(preprocessing.black(pixel), preprocessing.normalize(pixel))


@properties
@given(normalizations(), st.sampled_from([1, 3]))
def test_another_number_of_channels_keeps_the_average(preprocessing: Any, channels: Any) -> None:
    other = preprocessing.with_channels(channels)
    assert other.channels == channels
    assert abs(sum(other.mean) / channels - sum(preprocessing.mean) / preprocessing.channels) < 1e-9
    assert other.with_channels(channels) is other


@properties
@given(SIZES, SIDE)
def test_the_shorter_side_is_the_one_that_is_asked_for(size: Any, side: int) -> None:
    width, height = resized_size(size, side)
    assert min(width, height) <= side and (min(width, height) == side or max(size) * side < 2 * min(size))
    short, long = sorted(size)
    assert max(width, height) == max(side, side * long // short), "the aspect, rounded down as torchvision does"


@properties
@given(SIZES, geometries())
def test_a_picture_has_the_size_that_was_foretold(size: Any, preprocessing: Any) -> None:
    fitted = fit(Image.new("L", size, 200), preprocessing, Image.Resampling.BILINEAR)
    assert fitted.size == kept_size(size, preprocessing)


@properties
@given(SIZES, SIZES, st.integers(0, 2**31))
def test_a_crop_is_the_middle_as_torchvision_cuts_it(size: Any, crop: Any, seed: int) -> None:
    width, height = size
    values = torch.randint(1, 256, (height, width), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    picture = Image.fromarray(values.numpy())
    cut = fit(picture, Preprocessing((0.0,), (1.0,), crop=crop), Image.Resampling.BILINEAR)
    assert (np.asarray(cut) == np.asarray(center_crop(picture, list(crop)))).all()


@properties
@given(st.integers(1, 512))
def test_a_size_as_text_is_that_size(side: int) -> None:
    whole = Preprocessing((0.0,), (1.0,), resize=256, crop=(224, 224))
    assert whole.resized(str(side)).size == (side, side)
    assert whole.resized(f"{side}x7").size == (side, 7)
    assert whole.resized("original").size is None
