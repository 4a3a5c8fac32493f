"""Maps as text and back; colors; words. The pages' scripts are held against these in the browser tests."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.records.methods import Kind, MethodInfo, Reduction, Sign
from cnnvis_report.report.pictures.encode import QUALITIES, Quality, compand, encode_maps, expand, halve
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, colors, limit, stops, strengths, table
from cnnvis_report.report.pictures.thumbnails import color_picture, still, thumbnail
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.array_files.reduced import color_pixels
from tests.report.pictures.decoding import decode_maps


def heavy_tailed(size: Any = (64, 80), seed: Any = 0) -> Any:
    return np.random.default_rng(seed).standard_t(2.5, size).astype(np.float32)


def test_coarse_maps_are_exact() -> None:
    values = heavy_tailed((13, 13))
    assert np.array_equal(decode_maps(encode_maps([values], Sign.SIGNED, QUALITIES[-1]))[0], values)
    seven = encode_maps([heavy_tailed((7, 7))], Sign.SIGNED, QUALITIES[0])[0]
    assert len(seven["data"]) == 257


@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("quality", QUALITIES[:2])
def test_pixel_maps_keep_their_faint_parts(sign: Sign, quality: Quality) -> None:
    values = heavy_tailed() if sign is Sign.SIGNED else np.abs(heavy_tailed())
    shown = decode_maps(encode_maps([values], sign, quality))[0]
    largest = np.abs(values).max()
    assert np.abs(shown - values).max() <= quality.error * largest * 1.0001
    ranks = [np.argsort(np.argsort(each.ravel())) for each in (values, shown)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > (0.98 if quality.steps > 30 else 0.92)
    linear = np.rint(values / largest * quality.steps) / quality.steps * largest
    assert np.abs(shown - values).mean() < 0.7 * np.abs(linear - values).mean()
    assert shown.flat[np.abs(values).argmax()] == pytest.approx(values.flat[np.abs(values).argmax()], rel=1e-6)
    assert np.all((shown == 0) | (np.sign(shown) == np.sign(values)))


@pytest.mark.parametrize("quality", [Quality(127), *QUALITIES[:2]])
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "positive"])
def test_the_stated_error_is_reached_and_no_more(quality: Quality, signed: bool) -> None:
    values = np.linspace(-1 if signed else 0, 1, 200_001, dtype=np.float32)[None]
    shown = expand(compand(values, 1.0, signed, quality.steps), 1.0, signed, quality.steps)
    assert np.abs(shown - values).max() == pytest.approx(quality.error, rel=1e-2)


@pytest.mark.parametrize("sign", Sign)
def test_maps_of_further_classes_stand_in_the_order_of_the_first(sign: Sign) -> None:
    first, noise = heavy_tailed(), heavy_tailed(seed=1)
    maps = [first, first + 0.2 * noise, first.copy(), -2 * first, noise]
    maps = maps if sign is Sign.SIGNED else [np.abs(values) for values in maps]
    entries = encode_maps(maps, sign, QUALITIES[0])
    for values, shown in zip(maps, decode_maps(entries), strict=True):
        assert np.abs(shown - values).max() <= QUALITIES[0].error * np.abs(values).max() * 1.0001
    alone = [len(encode_maps([values], sign, QUALITIES[0])[0]["data"]) for values in maps]
    lengths = [len(entry["data"]) for entry in entries]
    assert lengths[1] < 0.8 * alone[1], "one that resembles the first takes less"
    assert lengths[2] == 0, "and an equal one nothing"
    assert lengths[4] < 1.1 * alone[4]
    assert [entry["filter"] is None for entry in entries] == [False, True, False, True, True]


def test_maps_of_squares_stay_in_their_own_order() -> None:
    squares = [heavy_tailed((16, 16), seed).repeat(14, axis=0).repeat(14, axis=1) for seed in (0, 1)]
    entries = encode_maps(squares, Sign.SIGNED, QUALITIES[0], coarse=False)
    assert all(len(entry["data"]) < 1500 for entry in entries), "a few hundred values, whatever the size"
    for values, shown in zip(squares, decode_maps(entries), strict=True):
        assert np.abs(shown - values).max() <= QUALITIES[0].error * np.abs(values).max() * 1.0001


def test_equal_coarse_maps_are_kept_once() -> None:
    values = heavy_tailed((7, 7))
    entries = encode_maps([values, values.copy(), values * 2], Sign.POSITIVE, QUALITIES[0])
    assert [bool(entry["data"]) for entry in entries] == [True, False, True]
    assert np.array_equal(decode_maps(entries)[2], values * 2)


def test_halves() -> None:
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert halve(values).tolist() == [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]
    packed = encode_maps([heavy_tailed()], Sign.SIGNED, Quality(31, halved=True))[0]
    assert packed["shape"] == [32, 40]


def test_empty_maps_and_the_same_bytes() -> None:
    zero = np.zeros((50, 50), np.float32)
    assert not decode_maps(encode_maps([zero], Sign.POSITIVE, QUALITIES[0]))[0].any()
    maps = [heavy_tailed(), heavy_tailed(seed=1)]
    assert encode_maps(maps, Sign.SIGNED, QUALITIES[0]) == encode_maps(maps, Sign.SIGNED, QUALITIES[0])


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
    assert np.abs(opened(color_picture(color_pixels(flat))) - 128).max() <= 2, "zero is gray"
    flat[0, :16] = 1.0
    red = opened(color_picture(color_pixels(flat)))
    assert red[4, 16, 0] > 230 and abs(red[4, 16, 1] - 128) < 25
    assert opened(color_picture(color_pixels(flat[:1]))).shape == (32, 32, 3)


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
