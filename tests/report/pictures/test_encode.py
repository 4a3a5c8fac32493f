"""Maps as text and back; colors; words. The pages' scripts are held against these in the browser tests."""

import gzip
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.records.methods import Kind, MethodInfo, Reduction, Sign
from cnnvis_report.report.pictures.encode import (
    QUALITIES,
    Filter,
    Quality,
    compand,
    encode_map,
    expand,
    filter_bytes,
    halve,
)
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, colors, limit, stops, strengths, table
from cnnvis_report.report.pictures.thumbnails import color_picture, still, thumbnail
from cnnvis_report.report.views import formatting as fmt


def heavy_tailed(size: Any = (64, 80), seed: Any = 0) -> Any:
    return np.random.default_rng(seed).standard_t(2.5, size).astype(np.float32)


def decoded(packed: Any) -> Any:
    """The inverse of `encode_map`, written apart from the page's scripts."""
    data = b64decode(packed["data"])
    if packed["code"] == 0:
        return np.frombuffer(data, "<f4").reshape(packed["shape"])
    steps = np.frombuffer(gzip.decompress(data), np.uint8).reshape(packed["shape"]).copy()
    if packed["filter"] == Filter.LEFT:
        steps = np.cumsum(steps, axis=1, dtype=np.uint64).astype(np.uint8)
    if packed["filter"] == Filter.UP:
        steps = np.cumsum(steps, axis=0, dtype=np.uint64).astype(np.uint8)
    return expand(steps, packed["largest"], packed["signed"], packed["code"])


def test_coarse_maps_are_exact() -> None:
    values = heavy_tailed((13, 13))
    assert np.array_equal(decoded(encode_map(values, Sign.SIGNED, QUALITIES[-1])), values)
    seven = encode_map(heavy_tailed((7, 7)), Sign.SIGNED, QUALITIES[0])
    assert len(seven["data"]) == 264


@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("quality", QUALITIES[:2])
def test_pixel_maps_keep_their_faint_parts(sign: Sign, quality: Any) -> None:
    values = heavy_tailed() if sign is Sign.SIGNED else np.abs(heavy_tailed())
    found = decoded(encode_map(values, sign, quality))
    largest = np.abs(values).max()
    assert np.abs(found - values).max() <= quality.error * largest * 1.0001
    ranks = [np.argsort(np.argsort(each.ravel())) for each in (values, found)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > (0.999 if quality.bits == 8 else 0.99)
    linear = np.rint(values / largest * 127) / 127 * largest
    assert np.abs(found - values).mean() < 0.6 * np.abs(linear - values).mean() or quality.bits < 8
    assert found.flat[np.abs(values).argmax()] == pytest.approx(values.flat[np.abs(values).argmax()], rel=1e-6)
    assert np.all((found == 0) | (np.sign(found) == np.sign(values)))


def test_the_stated_error_is_reached_and_no_more() -> None:
    for quality in QUALITIES[:2]:
        values = np.linspace(-1, 1, 200_001, dtype=np.float32)[None]
        found = expand(compand(values, 1.0, True, quality.bits), 1.0, True, quality.bits)
        assert np.abs(found - values).max() == pytest.approx(quality.error, rel=1e-2)


def test_filters_shrink_what_is_smooth_and_leave_noise_alone() -> None:
    rows = np.tile(np.arange(64, dtype=np.uint8)[:, None], (1, 64))
    assert filter_bytes(rows)[0] == Filter.UP
    assert filter_bytes(rows.T.copy())[0] == Filter.LEFT
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    assert filter_bytes(noise)[1].shape == noise.shape


def test_halves() -> None:
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert halve(values).tolist() == [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]
    packed = encode_map(heavy_tailed(), Sign.SIGNED, Quality(6, halved=True))
    assert packed["shape"] == [32, 40]


def test_empty_maps_and_the_same_bytes() -> None:
    zero = np.zeros((50, 50), np.float32)
    assert not decoded(encode_map(zero, Sign.POSITIVE, QUALITIES[0])).any()
    assert encode_map(heavy_tailed(), Sign.SIGNED, QUALITIES[0]) == encode_map(
        heavy_tailed(), Sign.SIGNED, QUALITIES[0]
    )


@pytest.mark.parametrize("palette", SIGNED)
def test_signed_colors_have_zero_in_the_middle(palette: str) -> None:
    drawn = colors(np.array([[-2.0, 0.0, 2.0]], np.float32), 2.0, Sign.SIGNED, palette)[0]
    assert np.array_equal(drawn[0], table(palette)[0]) and np.array_equal(drawn[2], table(palette)[-1])
    assert np.abs(drawn[1].astype(int) - np.array(stops(palette)[len(stops(palette)) // 2])).max() <= 3


@pytest.mark.parametrize("palette", POSITIVE)
def test_positive_colors_have_zero_at_the_start(palette: str) -> None:
    drawn = colors(np.array([[-2.0, 0.0, 2.0]], np.float32), 2.0, Sign.POSITIVE, palette)[0]
    assert np.array_equal(drawn, table(palette)[[0, 0, -1]])


def test_the_ends_of_the_colors() -> None:
    values = np.zeros((10, 100), np.float32)
    values.ravel()[:20] = np.arange(1, 21)
    assert limit(values, clipped=False) == 20
    assert limit(values, clipped=True) == 10, "99 % of the places don't exceed it"
    values.ravel()[5:] = 0
    assert limit(values, clipped=True) == 5, "nothing to clip: the largest"
    assert limit(np.zeros((4, 4), np.float32), clipped=True) == 1
    assert strengths(np.array([-4.0, 1.0], np.float32), 2.0).tolist() == [1.0, 0.5]


def card(kind: Any, sign: Any = Sign.SIGNED, reduction: Any = Reduction.SUM) -> Any:
    return MethodInfo("m", "M", "f", "s", sign, kind, reduction, False, "quick", "", "", {})


def test_what_a_card_shows_of_channels() -> None:
    values = np.array([[[1.0]], [[-3.0]], [[1.0]]], np.float32)
    assert card(Kind.PIXEL).shown(values).tolist() == [[-1.0]]
    folded = card(Kind.PIXEL, reduction=Reduction.ABS_MAX)
    assert folded.shown(values).tolist() == [[3.0]] and folded.shown_sign is Sign.POSITIVE
    assert card(Kind.LAYER).shown(values[0]).tolist() == [[1.0]]


def opened(content: bytes) -> np.ndarray:
    import io

    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_stills_show_the_map_where_it_is_large_and_the_picture_where_it_is_zero() -> None:
    picture = np.full((64, 64, 3), 120, np.uint8)
    values = np.zeros((8, 8), np.float32)
    values[6, 1] = 5.0
    drawn = opened(still(picture, values, card(Kind.LAYER, Sign.SIGNED)))
    assert drawn.shape[:2] == (192, 192)
    assert np.abs(drawn[20, 150] - 120).max() < 6
    hot = drawn[int(6.5 / 8 * 192), int(1.5 / 8 * 192)]
    assert hot[0] - hot[2] > 60, "red is for the class"
    wide = opened(still(np.zeros((90, 1000), np.uint8), values, card(Kind.PIXEL)))
    assert wide.shape[1] == 224 and wide.shape[0] == 20


def test_thumbnails_and_color_pictures() -> None:
    assert opened(thumbnail(np.zeros((500, 1000, 3), np.uint8))).shape[:2] == (112, 224)
    flat = np.zeros((3, 32, 32), np.float32)
    assert np.abs(opened(color_picture(flat)) - 128).max() <= 2, "zero is gray"
    flat[0, :16] = 1.0
    red = opened(color_picture(flat))
    assert red[4, 16, 0] > 230 and abs(red[4, 16, 1] - 128) < 25
    assert opened(color_picture(flat[:1])).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (fmt.number(0.5234), "0.523"),
        (fmt.number(-0.0000613), "−6.13e−5"),
        (fmt.count(1, "image"), "1 image"),
        (fmt.count(3, "class", "classes"), "3 classes"),
        (fmt.short(1_235_496), "1.24 M"),
        (fmt.duration(0.84), "0.8 s"),
        (fmt.duration(52.2), "52 s"),
        (fmt.duration(112), "1 min 52 s"),
        (fmt.duration(7380), "2 h 3 min"),
        (fmt.size(364_000_000), "364 MB"),
        (fmt.passes(1, 1), "1 backward pass"),
        (fmt.passes(1, 2), "2 backward passes"),
        (fmt.passes(34, 32), "34 forward and 32 backward passes"),
        (fmt.passes(226, 0), "226 forward passes"),
        (fmt.passes(1, 0), "1 forward pass"),
        (fmt.passes(0, 0), "no pass"),
        (fmt.setting({"smoothgrad": {"n": 3}}), "smoothgrad: n: 3"),
    ],
)
def test_words(found: Any, expected: Any) -> None:
    assert found.replace("\u202f", " ") == expected
