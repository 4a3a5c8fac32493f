"""More than 8 bits a channel reach networks of 1 and 3 channels without steps, and 8 bits as ever."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import InterpolationMode, functional

from cnnvis_report.data import pixels as pixels_module
from cnnvis_report.data.batches import read_item
from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.pixels import Pixels, UnusablePicture, Window
from cnnvis_report.data.preprocessing import geometry as geometry_module
from cnnvis_report.data.preprocessing.prepare import Picture, prepare
from cnnvis_report.data.preprocessing.preprocessing import LIBRARIES, NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.samples.inputs import digest
from cnnvis_report.records.run import Skipped
from tests.data.deep_files import Array, difference, network_input, png, saved

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 65536, (67, 91)).astype(np.uint16)
COLOR = RANDOM.integers(0, 65536, (67, 91, 3)).astype(np.uint16)
SIGNED = GRAY.astype(np.int16)
GEOMETRIES: dict[str, dict[str, Any]] = {
    "smaller": {"resize": 40, "crop": (32, 36)},
    "larger": {"resize": 120, "crop": (101, 99)},
    "cut alone": {"crop": (30, 41)},
    "own size": {},
}
STEP = 1 / 255 / 0.2  # of bytes, normalized
EXACT = 4e-6  # what single precision leaves of values between -2 and 3 that are resized
READ_AS_BYTES = STEP / 2


def reading(channels: int, **geometry: Any) -> Preprocessing:
    return Preprocessing((0.4, 0.5, 0.3)[:channels], (0.2, 0.25, 0.3)[:channels], **geometry)


def read(path: Path, preprocessing: Preprocessing, levels: Levels = NO_LEVELS) -> Picture:
    return prepare(open_picture(path, levels=levels), preprocessing)


def cut(values: Array, low: float, high: float) -> Array:
    return np.clip((values.astype(float) - low) / (high - low), 0, 1)


def on_white(colors: Array, alpha: Array) -> Array:
    return 1 - alpha[..., None] / 65535 * (1 - colors / 65535)


KINDS: dict[str, tuple[Array, Levels, Array]] = {
    "gray": (GRAY, NO_LEVELS, GRAY / 65535),
    "color": (COLOR, NO_LEVELS, COLOR / 65535),
    "12 bits": (COLOR >> 4, NO_LEVELS, (COLOR >> 4) / 4095),
    "alpha": (np.dstack([COLOR, GRAY]), NO_LEVELS, on_white(COLOR, GRAY)),
    "gray and alpha": (np.dstack([GRAY, GRAY[::-1]]), NO_LEVELS, on_white(GRAY[..., None], GRAY[::-1])[..., 0]),
    "floating point": ((GRAY / 65535).astype(np.float32), NO_LEVELS, (GRAY / 65535).astype(np.float32)),
    "below 0": (SIGNED, NO_LEVELS, cut(SIGNED, int(SIGNED.min()), int(SIGNED.max()))),
    "range": (COLOR, Levels((9000, 40000)), cut(COLOR, 9000, 40000)),
    "percentiles": (GRAY, Levels(percentiles=(2, 98)), cut(GRAY, *np.percentile(GRAY, (2, 98)))),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_network_reads_what_double_precision_gives(kind: str, geometry: Any, channels: int, tmp_path: Path) -> None:
    values, levels, shares = KINDS[kind]
    picture = read(saved(tmp_path, values), preprocessing := reading(channels, **geometry), levels)
    assert difference(picture.values, network_input(shares, preprocessing)) < EXACT
    shown = np.rint(preprocessing.restore(picture.values).mul(255).numpy()).astype(int)
    seen = picture.seen.astype(int).reshape(*shown.shape[1:], channels).transpose(2, 0, 1)
    assert np.abs(seen - shown).max() <= 1, "pages show the bytes of it"
    assert (seen != shown).mean() < 1e-3, "which rounding alone may move by one"


def test_a_ramp_has_more_than_256_steps(tmp_path: Path) -> None:
    path = saved(tmp_path, np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64))
    decoded = read_item(next(iter(labeled(find_images([path]), ()))), reading(3))
    assert not isinstance(decoded, Skipped) and len(decoded.picture.values[0].unique()) == 64 * 64
    assert len(np.unique(decoded.picture.seen)) == 256, "of which pages show so many"


@pytest.mark.parametrize(
    ("values", "channels", "most"),
    [
        (GRAY[..., None] % 256, 1, 1e-6),
        (GRAY[..., None] % 256, 3, 1e-6),
        (COLOR % 256, 3, 1e-6),
        (COLOR % 256, 1, READ_AS_BYTES + 1e-6),  # Pillow rounds the brightness of bytes to a byte
        (np.dstack([COLOR, GRAY]) % 256, 3, 2 * READ_AS_BYTES),  # and so what shows through
    ],
    ids=["gray-1", "gray-3", "color-3", "color-1", "alpha-3"],
)
@pytest.mark.parametrize("geometry", [{}, {"crop": (30, 41)}, {"crop": (80, 101), "fill": "mean"}], ids=str)
@pytest.mark.parametrize("library", LIBRARIES)
def test_bytes_in_16_bits_are_read_as_bytes_are(
    values: Array, channels: int, most: float, geometry: Any, library: str, tmp_path: Path
) -> None:
    preprocessing = reading(channels, library=library, **geometry)
    Image.fromarray(np.squeeze(values.astype(np.uint8))).save(tmp_path / "8.png")
    shallow = read(tmp_path / "8.png", preprocessing)
    deep = read(saved(tmp_path, (values * 257).astype(np.uint16)), preprocessing)
    assert difference(deep.values, shallow.values.double().numpy()) <= most
    assert deep.seen.shape == shallow.seen.shape and (most > 1e-6 or np.array_equal(deep.seen, shallow.seen))


@pytest.mark.parametrize("filter", [InterpolationMode.BILINEAR, InterpolationMode.BICUBIC], ids=str)
def test_torchvision_reads_the_same(filter: InterpolationMode, tmp_path: Path) -> None:
    """Its own way with 16 bits: a tensor, floating point, resized with antialiasing, cropped, normalized."""
    preprocessing = reading(3, resize=40, crop=(32, 32), interpolation=filter.value)
    picture = read(saved(tmp_path, COLOR), preprocessing)
    pixels = functional.to_dtype(torch.from_numpy(COLOR).permute(2, 0, 1), torch.float32, scale=True)
    resized = functional.resize(pixels, [40], interpolation=filter, antialias=True)
    theirs = functional.normalize(
        functional.center_crop(resized, [32, 32]), list(preprocessing.mean), list(preprocessing.std)
    )
    assert difference(picture.values, theirs.double().numpy()) < 1e-5, "a thousandth of what a byte rounds"


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-(values - 30000) / 5000))


WINDOWS = {
    "line": (Window(10000, 50000, "a window"), cut(GRAY, 10000, 50000)),
    "curve": (Window(0, 65535, "a curve", sigmoid), sigmoid(GRAY.astype(float))),
    "none": (None, GRAY / 65535),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("window", WINDOWS)
def test_windows_curves_and_white_for_the_lowest(window: str, inverted: bool, channels: int) -> None:
    ends, shares = WINDOWS[window]
    pixels = replace(Pixels.of_array(GRAY), window=ends, inverted=inverted)
    preprocessing = reading(channels, resize=40, crop=(32, 36))
    picture = prepare(UprightPicture.of(pixels, NO_LEVELS), preprocessing)
    assert difference(picture.values, network_input(1 - shares if inverted else shares, preprocessing)) < EXACT


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("values", [GRAY, COLOR], ids=["gray", "color"])
def test_the_transparent_color_is_white(values: Array, channels: int) -> None:
    color = int(values[3, 4]) if values.ndim == 2 else tuple(map(int, values[3, 4]))
    picture = UprightPicture.of(replace(Pixels.of_array(values), transparent=color), NO_LEVELS)
    shares = values / 65535
    shares[(values == color) if values.ndim == 2 else (values == color).all(axis=2)] = 1
    preprocessing = reading(channels)
    assert difference(prepare(picture, preprocessing).values, network_input(shares, preprocessing)) < EXACT


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("kind", ["gray", "alpha"])
def test_a_few_rows_at_a_time_give_the_same(
    kind: str, geometry: Any, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, preprocessing = saved(tmp_path, KINDS[kind][0]), reading(channels, **geometry)
    whole = read(path, preprocessing)
    monkeypatch.setattr(pixels_module, "AT_A_TIME", 3 * GRAY.shape[1])
    assert torch.equal(read(path, preprocessing).values, whole.values)
    monkeypatch.setattr(geometry_module, "WHOLE_UP_TO", 0)  # nothing is made but what the crop keeps
    assert difference(read(path, preprocessing).values, whole.values.double().numpy()) < EXACT


@pytest.mark.parametrize(
    ("ends", "reason"),
    [((np.nan, 1), "aren't finite"), ((-np.inf, 1), "aren't finite"), ((-1.7e308, 1.7e308), "too large")],
)
def test_what_is_no_number_reaches_no_network(ends: tuple[float, float], reason: str, tmp_path: Path) -> None:
    values = np.linspace(0, 1, 48).reshape(6, 8)
    values[1, 2:4] = ends
    with pytest.raises(UnusablePicture, match=reason):
        read(saved(tmp_path, values), reading(3))


@pytest.mark.parametrize("value", [0.0, 700.0, -700.0])
def test_one_value_alone_is_a_plain_picture(value: float, tmp_path: Path) -> None:
    path = saved(tmp_path, np.full((6, 8), value))
    for levels in (NO_LEVELS, Levels(percentiles=(1, 99))):
        assert read(path, reading(1), levels).values.unique().numel() == 1


def test_the_lower_bits_are_part_of_what_a_sample_holds(tmp_path: Path) -> None:
    """A dataset that gives others each time is found out, and a run isn't taken for one of other images."""
    (tmp_path / "a.png").write_bytes(png(GRAY))
    (tmp_path / "b.png").write_bytes(png(GRAY ^ 1))
    first, again, other = (open_picture(tmp_path / name) for name in ("a.png", "a.png", "b.png"))
    assert digest(first) == digest(again) != digest(other)
