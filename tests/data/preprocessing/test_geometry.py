"""To size and cut: only what is kept need be made, and it is what torchvision makes."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing import geometry
from cnnvis_report.data.preprocessing.geometry import fit, kept_size, resized_size
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def smooth(width: int, height: int) -> Image.Image:
    """Waves in three colors, from black to white."""
    across, down = np.arange(width)[None, :, None] / 9, np.arange(height)[:, None, None] / 7
    return Image.fromarray(np.uint8(127.5 + 127.5 * np.sin(across + down + np.arange(3))))


@pytest.mark.parametrize(
    "size", [(320, 240), (240, 320), (100, 60), (900, 90), (30, 400), (200, 3), (1, 50), (257, 255)]
)
@pytest.mark.parametrize(("resize", "crop"), [(256, (224, 224)), (100, (224, 224)), (64, (64, 40))])
@pytest.mark.parametrize("filter", FILTERS)
def test_the_middle_alone_is_what_the_whole_would_give(
    size: Any, resize: Any, crop: Any, filter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preprocessing = Preprocessing(resize=resize, crop=crop)
    picture = smooth(*size)
    monkeypatch.setattr(geometry, "WHOLE_UP_TO", 1 << 40)
    whole = np.asarray(fit(picture, preprocessing, filter), int)
    resized = resized_size(size, resize)
    middle = geometry._middle(picture, resized, geometry._wanted(resized, preprocessing), filter, ())
    differences = np.abs(np.asarray(middle, int) - whole)
    assert differences.max() <= 2 and differences.mean() < 0.25, "two roundings, of rows and of columns"
    assert middle.size == kept_size(size, preprocessing)


@pytest.mark.parametrize("size", [(6000, 1), (1, 6000), (2, 60_000), (100_000, 1)])
def test_a_thin_strip_costs_little(size: Any) -> None:
    picture = Image.new("RGB", size, (9, 90, 200))
    tracemalloc.start()
    made = fit(picture, Preprocessing(resize=256, crop=(224, 224)), Image.Resampling.BILINEAR)
    assert (np.asarray(made) == (9, 90, 200)).all() and made.size == (224, 224)
    tracemalloc.stop()


def test_a_strip_is_never_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    monkeypatch.setattr(Image.Image, "resize", _noting(Image.Image.resize, sizes))
    preprocessing = Preprocessing((0.5,) * 3, (0.5,) * 3, resize=256, crop=(224, 224))
    found = prepare(smooth(6000, 2), preprocessing)
    assert found.values.shape == (3, 224, 224) and max(width * height for width, height in sizes) <= 224 * 224
    expected = np.asarray(smooth(6000, 2).crop((2995, 0, 3005, 2)), int).mean()
    assert abs(found.seen.mean() - expected) < 25


def _noting(resize: Any, made: Any) -> Any:
    def noted(picture: Any, size: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(size)
        return resize(picture, size, *args, **kwargs)

    return noted


def test_masks_keep_their_place_in_a_strip() -> None:
    mask = Image.new("L", (6000, 4))
    mask.paste(255, (3000, 0, 6000, 4))
    found = np.asarray(fit(mask, Preprocessing(resize=256, crop=(224, 224)), Image.Resampling.NEAREST))
    assert (found[:, :112] == 0).all() and (found[:, 112:] == 255).all()


def test_a_picture_that_would_be_too_large_is_refused() -> None:
    with pytest.raises(UnusablePicture, match=r"1536000×256 pixels after resizing; at most 120 million"):
        prepare(Image.new("RGB", (6000, 1)), Preprocessing((0.0,) * 3, (1.0,) * 3, resize=256))
