"""Resizing and cropping as timm and transformers do it, against replicas that are written out, and the options."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as pillow
from torchvision.transforms.v2 import functional as tensors

from cnnvis_report.data.preprocessing.geometry import fit, kept_size
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.opening.preprocessing import adjusted_geometry
from cnnvis_report.records.interpolations import INTERPOLATIONS

SIZES = [(40, 25), (25, 40), (31, 31), (90, 17), (8, 9)]
COLORS = (0.2, 0.5, 0.9)


def picture(size: tuple[int, int]) -> Image.Image:
    """Many edges, and another color in every channel."""
    across, down = np.arange(size[0])[None, :, None], np.arange(size[1])[:, None, None]
    return Image.fromarray(((across * 7 + down * 13 + across * down // 5 + np.arange(3) * 60) % 256).astype(np.uint8))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("aspect", "choose"), [("cover", min), ("contain", max)], ids=["cover", "contain"])
def test_a_resize_that_keeps_the_aspect_is_the_one_of_timm(size: Any, aspect: str, choose: Any) -> None:
    ratio = choose(size[1] / 20, size[0] / 30)
    expected = pillow.resize(picture(size), [round(size[1] / ratio), round(size[0] / ratio)], InterpolationMode.BICUBIC)
    known = Preprocessing(resize=(20, 30), aspect=aspect, interpolation="bicubic")
    made = fit(picture(size), known, Image.Resampling.BICUBIC)
    assert made.size == kept_size(size, known) and (np.asarray(made) == np.asarray(expected)).all()
    assert known.size is None, "each picture has its own size until something is cut"


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_mean_color_lies_beside_a_picture_that_is_contained(size: Any) -> None:
    known = Preprocessing(COLORS, (1.0,) * 3, resize=(24, 24), crop=(24, 24), aspect="contain", fill="mean")
    found = prepare(picture(size), known)
    inner = fit(picture(size), Preprocessing(resize=(24, 24), aspect="contain"), Image.Resampling.BILINEAR)
    left, top = (24 - inner.width) // 2, (24 - inner.height) // 2
    expected = np.empty((24, 24, 3), np.uint8)
    expected[:] = [round(255 * value) for value in COLORS]
    expected[top : top + inner.height, left : left + inner.width] = np.asarray(inner)
    assert (found.seen == expected).all()


def test_a_gray_picture_is_framed_in_color() -> None:
    known = Preprocessing(COLORS, (1.0,) * 3, resize=(8, 8), crop=(8, 8), aspect="contain", fill="mean")
    found = prepare(Image.new("L", (4, 2), 77), known).seen
    assert found[0, 0].tolist() == [51, 128, 230] and found[4, 4].tolist() == [77, 77, 77]


def test_a_mask_is_black_beside_its_picture() -> None:
    known = Preprocessing(COLORS, (1.0,) * 3, resize=(8, 8), crop=(8, 8), aspect="contain", fill="mean")
    mask = np.asarray(fit(Image.new("L", (8, 4), 255), known, Image.Resampling.NEAREST))
    assert (mask[:2] == 0).all() and (mask[2:6] == 255).all() and (mask[6:] == 0).all()


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_transformers_resizes_tensors_of_bytes(size: Any, name: str) -> None:
    mode = InterpolationMode.NEAREST_EXACT if name == "nearest" else InterpolationMode(name)
    pixels = tensors.pil_to_tensor(picture(size))
    expected = tensors.resize(pixels, [21, 17], interpolation=mode, antialias=True)
    known = Preprocessing(resize=(21, 17), interpolation=name, library="transformers")
    assert (prepare(picture(size), known).seen == expected.permute(1, 2, 0).numpy()).all()


@pytest.mark.parametrize(
    ("library", "starts"),
    [
        # of 10 pixels, where a crop of 7, 6, 5, 11, 12 and 13 begins
        ("torchvision", [2, 2, 2, 0, -1, -1]),
        ("transformers", [1, 2, 2, 0, -1, -1]),
        ("transformers-pil", [1, 2, 2, -1, -1, -2]),
    ],
)
def test_where_a_crop_begins(library: str, starts: list[int]) -> None:
    row = Image.fromarray(np.arange(1, 11, dtype=np.uint8)[None].repeat(10, 0))
    for side, start in zip((7, 6, 5, 11, 12, 13), starts, strict=True):
        cut = np.asarray(fit(row, Preprocessing((0.0,), (1.0,), crop=(side, side), library=library), FILTER))
        expected = [index + 1 if 0 <= index < 10 else 0 for index in range(start, start + side)]
        assert cut[side // 2].tolist() == expected, side


FILTER = Image.Resampling.BILINEAR


def test_it_reads_well() -> None:
    lines = [
        Preprocessing(resize=(256, 224), crop=(224, 192), aspect="cover").describe(),
        Preprocessing(resize=(224, 224), crop=(224, 224), aspect="contain", fill="mean").describe(),
        Preprocessing(resize=(224, 224), library="transformers").describe(),
    ]
    assert [line.partition(";")[0] for line in lines] == [
        "resized to cover 224×256, center crop 192×224, bilinear",
        "resized to fit into 224×224, center crop 224×224 on the mean color, bilinear",
        "resized to 224×224, bilinear as tensors",
    ]


KNOWN = Preprocessing(resize=(256, 256), crop=(224, 224), aspect="cover", interpolation="bicubic")


@pytest.mark.parametrize(
    ("options", "resize", "crop"),
    [
        ({"size": "112"}, (128, 128), (112, 112)),
        ({"size": "100x80"}, (100, 80), None),
        ({"resize": "300"}, 300, (224, 224)),
        ({"resize": "300x200", "crop": "none"}, (300, 200), None),
        ({"crop": "100x90"}, (256, 256), (100, 90)),
        ({"resize": "none", "crop": "64"}, None, (64, 64)),
    ],
    ids=str,
)
def test_options_go_before_what_the_model_says(options: dict[str, str], resize: Any, crop: Any) -> None:
    adjusted = adjusted_geometry(KNOWN, **({"size": None, "resize": None, "crop": None} | options), interpolation=None)
    assert (adjusted.resize, adjusted.crop, adjusted.interpolation) == (resize, crop, "bicubic")


def test_interpolations_are_those_of_pillow() -> None:
    assert set(INTERPOLATIONS) <= {filter.name.lower() for filter in Image.Resampling}
    assert adjusted_geometry(KNOWN, None, None, None, "box").interpolation == "box"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": "224", "crop": "100"}, "--size 224 sets --resize and --crop"),
        ({"resize": "3x"}, "--resize '3x': give the shorter side such as 256"),
        ({"crop": "0"}, "--crop '0': give a side such as 224"),
        ({"crop": "1x2x3"}, "--crop '1x2x3': give a side"),
        ({"resize": "99999"}, "at most 10000 pixels a side"),
    ],
    ids=str,
)
def test_options_that_make_no_sense(options: dict[str, str], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        adjusted_geometry(KNOWN, **({"size": None, "resize": None, "crop": None} | options), interpolation=None)
