"""Pictures of any number of bands: PNG and TIFF, how they are scaled, and which bands pages show."""

import io
import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from cnnvis_report.data.batches import read_item
from cnnvis_report.data.decoding.decode import open_bands
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.preprocessing.shown_bands import band_picture, choose_bands
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.bands import ShownBands
from cnnvis_report.records.run import Skipped

Array = npt.NDArray[Any]
FOUR = Preprocessing((0.0,) * 4, (1.0,) * 4)


def read(path: Path | io.BytesIO, channels: int, levels: Levels = NO_LEVELS) -> Array:
    plain = Preprocessing((0.0,) * channels, (1.0,) * channels)
    values: Array = prepare(open_bands(path, 0, levels, "", channels), plain).values.numpy()
    return values


def colors(*sides: int, dtype: str = "u1") -> Array:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, sides, dtype, endpoint=True)


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_alpha_is_the_fourth_band(ending: str, tmp_path: Path) -> None:
    values = colors(9, 8, 4)
    lossless: dict[str, Any] = {"lossless": True, "exact": True} if ending == "webp" else {}
    Image.fromarray(values).save(tmp_path / f"a.{ending}", **lossless)
    assert read(tmp_path / f"a.{ending}", 4) == pytest.approx(values.transpose(2, 0, 1) / 255)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "1"])
def test_another_number_of_bands_is_skipped_with_the_reason(mode: str, tmp_path: Path) -> None:
    Image.new(mode, (9, 8)).save(tmp_path / "a.tif")
    with pytest.raises(UnusablePicture, match=r"it has (1|3|4) bands?, and the network reads 5"):
        read(tmp_path / "a.tif", 5)


def test_resizing_and_normalizing_are_those_of_each_band(tmp_path: Path) -> None:
    values = colors(12, 10, 4, dtype="u2")
    np.save(tmp_path / "a.npy", values)
    wanted = Preprocessing((0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8), resize=(6, 5), crop=(4, 4))
    got = prepare(open_bands(tmp_path / "a.npy", 0, Levels(bits=16), ".npy", 4), wanted).values
    for band, (mean, std) in enumerate(zip(wanted.mean, wanted.std, strict=True)):
        small = Image.fromarray((values[..., band] / 65535).astype(np.float32)).resize(
            (5, 6), Image.Resampling.BILINEAR
        )
        expected = (np.asarray(small.crop((0, 1, 4, 5))) - mean) / std
        assert got[band].numpy() == pytest.approx(expected, abs=1e-6)


class Tiffs:
    """Files of twelve bands as they are written elsewhere, by their names."""

    bands = 12

    def __init__(self, folder: Path) -> None:
        tifffile = pytest.importorskip("tifffile")
        self.values = colors(self.bands, 9, 8, dtype="u2")
        last = np.moveaxis(self.values, 0, 2)
        gray = {"photometric": "minisblack"}
        for name, values, options in (
            ("interleaved", last, {"planarconfig": "contig", **gray}),
            ("planar", self.values, {"planarconfig": "separate", **gray}),
            ("pages", self.values, gray),
            ("packed", last, {"planarconfig": "contig", "compression": "zlib", **gray}),
            ("tiled", last, {"planarconfig": "contig", "tile": (16, 16), "compression": "zlib", **gray}),
            ("big-endian", last, {"planarconfig": "contig", "byteorder": ">", **gray}),
            ("large", last, {"planarconfig": "contig", "bigtiff": True, **gray}),
        ):
            tifffile.imwrite(folder / f"{name}.tif", values, **options)


@pytest.mark.parametrize("name", ["interleaved", "planar", "pages", "packed", "tiled", "big-endian", "large"])
def test_tiff_of_twelve_bands(name: str, tmp_path: Path) -> None:
    files = Tiffs(tmp_path)
    expected = files.values / 65535
    assert read(tmp_path / f"{name}.tif", 12, Levels(bits=16)) == pytest.approx(expected, abs=1e-7)
    content = io.BytesIO((tmp_path / f"{name}.tif").read_bytes())
    assert read(content, 12, Levels(bits=16)) == pytest.approx(expected, abs=1e-7)
    with pytest.raises(UnusablePicture, match=r"and the network reads 7"):
        read(tmp_path / f"{name}.tif", 7)


def test_pages_are_one_image_where_they_are_the_bands(tmp_path: Path) -> None:
    Tiffs(tmp_path)
    paths = [tmp_path / "pages.tif"]
    assert [(image.name, image.deep) for image in find_images(paths, 12)] == [("pages.tif", True)]
    assert len(find_images(paths, 3)) == len(find_images(paths, 11)) == 12


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "f4", "f8"])
def test_tiff_of_any_number(dtype: str, tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    values = np.arange(9 * 8 * 6).reshape(9, 8, 6).astype(dtype)
    values = values / 8 - 3 if dtype[0] == "f" else values
    tifffile.imwrite(tmp_path / "a.tif", values.astype(dtype), photometric="minisblack", planarconfig="contig")
    high = {"f": 1, "u": 255 if dtype == "u1" else 65535, "i": 65535}[dtype[0]]
    got = read(tmp_path / "a.tif", 6, Levels(bits=16))
    stored = values.astype(dtype).astype(np.float64)
    assert got == pytest.approx(stored.transpose(2, 0, 1) / high, abs=1e-5)


def test_without_tifffile_a_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Tiffs(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnusablePicture, match=r"a TIFF of 12 bands, and tifffile is not .*'cnnvis-report\[tiff\]'"):
        read(tmp_path / "interleaved.tif", 12)
    assert read(tmp_path / "pages.tif", 12).shape == (12, 9, 8), "Pillow reads these"


def bomb() -> bytes:
    """A TIFF of 6 bands whose one strip inflates to 200 MB."""
    strip = zlib.compress(bytes(200_000_000), 9)
    tags = [(256, 8), (257, 8), (258, 8), (259, 8), (262, 1), (273, 0), (277, 6), (278, 8), (279, len(strip))]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + strip


def test_a_strip_that_inflates_without_end_is_refused() -> None:
    pytest.importorskip("tifffile")
    with pytest.raises(UnusablePicture, match="inflates to more than the picture"):
        read(io.BytesIO(bomb()), 6)


def test_damaged_tiffs_are_read_or_refused(tmp_path: Path) -> None:
    Tiffs(tmp_path)
    draw = random.Random(0)
    for number in range(500):
        name = ("interleaved", "planar", "pages", "packed")[number % 4]
        damaged = bytearray((tmp_path / f"{name}.tif").read_bytes())
        for _ in range(draw.randint(1, 4)):
            damaged[draw.randrange(min(len(damaged), 300))] = draw.randrange(256)
        try:
            read(io.BytesIO(bytes(damaged[: draw.randint(8, 2 * len(damaged))])), 12)
        except UnusablePicture as error:
            assert str(error) and "\n" not in str(error)


def test_percentiles_are_shown_as_black_and_white() -> None:
    values = torch.linspace(0, 1, 101).expand(4, 101).unsqueeze(1).clone() * torch.tensor([1, 2, 4, 0]).view(4, 1, 1)
    values[3] = 0.5
    shown = band_picture(ShownBands((3, 1, 4), stretched=True), values)
    assert shown.shape == (1, 101, 3) and not shown[..., 2].any()
    assert np.array_equal(shown[..., 0], shown[..., 1]), "each on a scale of its own"
    assert shown[0, [0, 2, 26, 98, 100], 0].tolist() == [0, 0, 64, 255, 255]


def test_one_band_is_shown_as_gray() -> None:
    values = torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(0))
    shown = band_picture(ShownBands((4,)), values)
    assert np.array_equal(shown, np.rint(values[3].double().numpy() * 255))


@pytest.mark.parametrize(
    ("channels", "wanted", "numbers"),
    [(4, None, (1, 2, 3)), (2, None, (1,)), (12, (4, 3, 2), (4, 3, 2)), (12, (7,), (7,)), (4, (4, 4, 4), (4, 4, 4))],
)
def test_which_bands_are_shown(channels: int, wanted: tuple[float, ...] | None, numbers: tuple[int, ...]) -> None:
    assert choose_bands(channels, wanted) == ShownBands(numbers)


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [(4, (0, 1, 2)), (4, (1, 2, 5)), (4, (1, 2)), (4, (1.5, 2, 3)), (4, (1, 2, 3, 4)), (3, (3, 2, 1)), (1, (1,)),
     (2, (3,)), (4, (-1,)), (4, (1e300,))],
)  # fmt: skip
def test_bands_that_there_are_not(channels: int, wanted: tuple[float, ...]) -> None:
    with pytest.raises(BadRequest, match=r"^--rgb "):
        choose_bands(channels, wanted)


def test_gray_and_color_are_shown_as_they_are() -> None:
    assert choose_bands(1, None) is choose_bands(3, None) is None


def test_values_of_no_number_of_bits_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.linspace(-2, 3, 9 * 8 * 4).reshape(9, 8, 4))
    np.save(tmp_path / "b.npy", np.full((9, 8, 4), 900, "u2"))
    levels, notices = find_levels(find_images([tmp_path], 4), NO_LEVELS, "--range", 4)
    assert levels == Levels(bits=10)
    assert any("have values from -2 to 3, which are read as they are; --range LOW,HIGH" in line for line in notices)


def test_one_that_does_not_fit_is_skipped_and_the_others_go_on(tmp_path: Path) -> None:
    Image.fromarray(colors(9, 8, 4)).save(tmp_path / "a.png")
    Image.fromarray(colors(9, 8, 3)).save(tmp_path / "b.png")
    images = labeled(find_images([tmp_path], 4), (), channels=4)
    first, second = (read_item(item, replace(FOUR, bands=ShownBands((1, 2, 3)))) for item in images)
    assert not isinstance(first, Skipped) and first.picture.seen.shape == (9, 8, 3)
    assert isinstance(second, Skipped) and second.reason == "it has 3 bands, and the network reads 4"
