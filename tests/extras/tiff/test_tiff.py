"""TIFF files that Pillow doesn't decode: any number, planes, tiles and compressions, as they were written."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.extras.needs import needs

needs("tifffile")

import tifffile  # noqa: E402

from cnnvis_report.data.decoding.upright_picture import NOTE  # noqa: E402
from cnnvis_report.data.image_set import find_images, labeled  # noqa: E402
from cnnvis_report.data.pixels import UnusablePicture  # noqa: E402
from tests.extras.no_metadata import secrets_told  # noqa: E402
from tests.picture_reading import opened_bytes, read_picture, stored_values  # noqa: E402
from tests.pictures_with_metadata import SECRET  # noqa: E402

Array = npt.NDArray[Any]
SIDES = (40, 48)
DTYPES = ("i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {},
    "planes": {"planarconfig": "separate"},
    "tiles": {"tile": (16, 16)},
    "deflated": {"compression": "zlib"},
    "lzma": {"compression": "lzma"},
    "big-endian": {"byteorder": ">"},
    "large": {"bigtiff": True},
}


def drawn(dtype: str, *sides: int) -> Array:
    draw = np.random.default_rng(0)
    if dtype[0] == "f":
        return draw.random(sides).astype(dtype)
    return draw.integers(0, min(np.iinfo(dtype).max, 2**31), sides, np.int64).astype(dtype)


def write(path: Path, values: Array, layout: str, **options: Any) -> Path:
    planes = layout == "planes" and values.ndim == 3
    stored = np.moveaxis(values, 2, 0) if planes else values
    contiguous = {"planarconfig": "contig"} if values.ndim == 3 else {}
    own = LAYOUTS[layout] if planes or layout != "planes" else {}
    tifffile.imwrite(path, stored, **{**contiguous, **own, **options})
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "color"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_those_that_were_written(dtype: str, channels: int, layout: str, tmp_path: Path) -> None:
    values = drawn(dtype, *SIDES, *([3] if channels == 3 else []))
    path = write(tmp_path / "a.tif", values, layout, photometric="rgb" if channels == 3 else "minisblack")
    stored = stored_values(path)
    assert stored is not None
    np.testing.assert_array_equal(stored.astype(values.dtype), values)
    assert np.asarray(read_picture(io.BytesIO(path.read_bytes()))).shape == values.shape


def test_where_white_is_zero_the_lowest_value_is_white(tmp_path: Path) -> None:
    values = drawn("f8", *SIDES)
    values[0, :2] = 0, 1
    path = write(tmp_path / "a.tif", values, "strips", photometric="miniswhite")
    np.testing.assert_array_equal(np.asarray(read_picture(path)), 255 - np.rint(values * 255))


def test_colors_beside_an_alpha_lie_on_white(tmp_path: Path) -> None:
    values = np.zeros((*SIDES, 4), "u2")
    values[:20, :, 3] = 65535
    path = write(tmp_path / "a.tif", values, "planes", photometric="rgb", extrasamples=["unassalpha"])
    shown = np.asarray(read_picture(path))
    assert not shown[:20].any() and (shown[20:] == 255).all()


@pytest.mark.parametrize("kind", ["ome", "imagej", "plain"])
def test_planes_of_a_stack_are_images(kind: str, tmp_path: Path) -> None:
    planes = drawn("u2", 5, *SIDES)
    options: dict[str, dict[str, Any]] = {
        "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
        "imagej": {"imagej": True},
        "plain": {},
    }
    name = "a.ome.tif" if kind == "ome" else "a.tif"
    tifffile.imwrite(tmp_path / name, planes, photometric="minisblack", **options[kind])
    images = find_images([tmp_path])
    assert [image.name for image in images] == [f"{name} page {number}" for number in range(1, 6)]
    for item, plane in zip(labeled(images, ()), planes, strict=True):
        np.testing.assert_array_equal(opened_bytes(item), np.rint(plane * (255 / 65535)))


@pytest.mark.parametrize(
    ("channels", "dtype"), [(2, "f4"), (5, "u1"), (5, "u2"), (12, "f8")], ids=lambda value: str(value)
)
def test_bands_are_refused_where_the_network_reads_colors(channels: int, dtype: str, tmp_path: Path) -> None:
    write(tmp_path / "a.tif", drawn(dtype, *SIDES, channels), "strips", photometric="minisblack")
    with pytest.raises(UnusablePicture, match=rf"^it has {channels} bands, and the network reads gray or color$"):
        read_picture(tmp_path / "a.tif")


def test_a_strip_of_lzma_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.zeros((3000, 3000), "f8"), "lzma", photometric="minisblack", rowsperstrip=3000)
    content = path.read_bytes()
    for tag in (256, 257, 278):  # it says that it is small
        content = content.replace(struct.pack("<HHII", tag, 4, 1, 3000), struct.pack("<HHII", tag, 4, 1, 8))
        content = content.replace(struct.pack("<HHIHH", tag, 3, 1, 3000, 0), struct.pack("<HHIHH", tag, 3, 1, 8, 0))
    with pytest.raises(UnusablePicture, match="inflates to more than the picture"):
        read_picture(io.BytesIO(content))


def test_without_tifffile_a_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.tif", drawn("f8", *SIDES), "strips", photometric="minisblack")
    planes = write(tmp_path / "b.tif", drawn("u2", *SIDES, 3), "planes", photometric="rgb")
    monkeypatch.setattr("cnnvis_report.data.decoding.tifffile_page.importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnusablePicture, match=r"can't be decoded; .*or pip install 'cnnvis-report\[tiff\]'"):
        read_picture(path)
    assert read_picture(planes).info[NOTE] == "of its 16 bits a channel the upper 8 are read"


def test_no_report_tells_what_a_tiff_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = [(tag, "s", 0, SECRET, True) for tag in (271, 272, 315, 33432, 50839)]
    tifffile.imwrite(
        path, drawn("f8", *SIDES), photometric="minisblack", description=SECRET, software=SECRET, extratags=tags
    )
    assert secrets_told(path.read_bytes(), "b.tif", tmp_path) == []
