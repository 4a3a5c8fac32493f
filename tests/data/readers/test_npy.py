"""Arrays in .npy files: which numbers and sides are read, and that nothing else is."""

import io
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cnnvis_report.data.decoding.decode import open_bands, open_picture
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing

Array = npt.NDArray[Any]
BANDS = 5


def stored(values: Array, path: Path) -> Path:
    np.save(path, values, allow_pickle=True)
    return path


def read(path: Path, channels: int = BANDS, levels: Levels = NO_LEVELS) -> Array:
    """[C, H, W] as a network of so many channels without a normalization gets it."""
    plain = Preprocessing((0.0,) * channels, (1.0,) * channels)
    picture = open_bands(path, 0, levels, ".npy", channels) if channels not in (1, 3) else open_picture(path, 0, levels)
    values: Array = prepare(picture, plain).values.numpy()
    return values


def ramp(dtype: str, *sides: int) -> Array:
    return np.arange(np.prod(sides)).reshape(sides).astype(dtype)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2", "<i4", ">u4", "<i8", "<u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_whole_numbers_are_read_by_their_bits(dtype: str, order: Any, tmp_path: Path) -> None:
    values = ramp(dtype, 7, 6, BANDS)
    high = 255 if dtype == "|u1" else 65535
    path = stored(np.asarray(values, order=order), tmp_path / "a.npy")
    expected = (values.astype(np.float64) / high).transpose(2, 0, 1)
    np.testing.assert_allclose(read(path, levels=Levels(bits=16)), expected, atol=1e-7)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", ">f8"])
def test_floating_point_numbers_are_read_as_they_are(dtype: str, tmp_path: Path) -> None:
    values = ramp(dtype, 7, 6, BANDS) / 8 - 3
    assert read(stored(values.astype(dtype), tmp_path / "a.npy")) == pytest.approx(values.transpose(2, 0, 1))


def test_a_range_scales_and_cuts(tmp_path: Path) -> None:
    values = ramp("<f4", 4, 6, BANDS)
    expected = np.clip((values - 10) / 50, 0, 1).transpose(2, 0, 1)
    assert read(stored(values, tmp_path / "a.npy"), levels=Levels((10, 60))) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sides", "bands", "axis"),
    [
        pytest.param((9, 8, 5), 5, 2, id="last"),
        pytest.param((5, 9, 8), 5, 0, id="first"),
        pytest.param((1, 5, 9, 8), 5, 1, id="a batch of one"),
        pytest.param((4, 9, 6), 6, 2, id="the network's number, though the other side is smaller"),
        pytest.param((6, 9, 4), 6, 0, id="the same the other way round"),
        pytest.param((3, 9, 8), 3, 0, id="color first"),
        pytest.param((9, 8, 3), 3, 2, id="color last"),
        pytest.param((3, 9, 4), 3, 0, id="color where the last side could be alpha"),
    ],
)
def test_bands_are_the_side_that_the_network_reads(
    sides: tuple[int, ...], bands: int, axis: int, tmp_path: Path
) -> None:
    values = ramp("u1", *sides)
    planes = np.moveaxis(values, axis, 0).reshape(bands, *np.delete(sides, [axis, 0] if len(sides) == 4 else axis))
    assert read(stored(values, tmp_path / "a.npy"), bands) == pytest.approx(planes / 255, abs=1e-6)


@pytest.mark.parametrize("sides", [(9, 8), (9, 8, 1), (1, 9, 8)], ids=str)
def test_gray_becomes_color(sides: tuple[int, ...], tmp_path: Path) -> None:
    values = ramp("u1", *sides)
    assert read(stored(values, tmp_path / "a.npy"), 3) == pytest.approx(np.stack([values.reshape(9, 8)] * 3) / 255)


def test_a_file_that_is_too_large_for_memory_is_mapped(tmp_path: Path) -> None:
    values = ramp("<u2", 9, 8, BANDS)
    path = stored(values, tmp_path / "a.npy")
    with path.open("rb") as file:
        from_bytes = open_bands(io.BytesIO(file.read()), 0, NO_LEVELS, ".npy", BANDS).band(2)
    mapped = open_bands(path, 0, NO_LEVELS, ".npy", BANDS).band(2)
    assert np.array_equal(np.asarray(from_bytes), np.asarray(mapped))


class Runs:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemError('ran')",)


def header(shape: object, descr: str = "<u2") -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text


def saved(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


RECORDS = np.zeros(4, [("a", "u1"), ("b", "f4")])
BAD = {
    "objects": (saved(np.array([Runs()], object)), "it holds Python objects, which may run code"),
    "a pickle behind the magic": (b"\x93NUMPY" + pickle.dumps(Runs()), "its header is damaged"),
    "records": (saved(RECORDS), "it holds records"),
    "complex": (saved(np.zeros((4, 4, BANDS), complex)), "it holds complex numbers"),
    "text": (saved(np.full((4, 4, BANDS), "a")), "it holds <U1"),
    "dates": (saved(np.zeros((4, 4, BANDS), "M8[s]")), "it holds dates"),
    "nothing": (saved(np.zeros((0, 4, BANDS), "u1")), "which has no pixels"),
    "no side": (saved(np.uint8(3)), "H×W×C or C×H×W is read"),
    "five sides": (saved(np.zeros((2, 2, 2, 2, 2), "u1")), "H×W×C or C×H×W is read"),
    "a trillion values": (header((10**6, 10**6, BANDS)), "at most 120 million values"),
    "cut short": (saved(np.zeros((40, 40, BANDS), "u2"))[:-100], "cut short"),
    "negative sides": (header((-4, -4, BANDS)), "a side isn't a whole number"),
    "sides of a million digits": (header("x" * 5000), "its header is damaged"),
    "another version": (b"\x93NUMPY\3\0" + header((4, 4, BANDS))[8:], "its header is damaged"),
    "not finite": (saved(np.full((4, 4, BANDS), np.nan)), "values that aren't finite"),
    "infinite": (saved(np.full((4, 4, BANDS), np.inf, "f4")), "values that aren't finite"),
    "beyond single precision": (saved(np.full((4, 4, BANDS), 1e300)), "too large for single precision"),
    "other bands": (saved(np.zeros((9, 8, 4), "u2")), "it has 4 bands, and the network reads 5"),
    "gray": (saved(np.zeros((9, 8), "u2")), "it has 1 band, and the network reads 5"),
}


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_what_is_no_picture_is_said_in_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UnusablePicture) as caught:
        read(tmp_path / "a.npy")
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_bands_are_not_read_as_alpha_or_color(tmp_path: Path) -> None:
    path = stored(np.zeros((9, 8, 4), "u1"), tmp_path / "a.npy")
    with pytest.raises(UnusablePicture, match="it has 4 bands, and the network reads gray or color"):
        read(path, 3)


def test_damaged_files_are_read_or_refused() -> None:
    content, draw = saved(ramp("<u2", 12, 11, BANDS)), random.Random(0)
    for _ in range(500):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            damaged[draw.randrange(len(damaged) if draw.random() < 0.3 else 128)] = draw.randrange(256)
        try:
            picture = open_bands(io.BytesIO(bytes(damaged[: draw.randint(0, len(damaged))])), 0, NO_LEVELS, ".npy", 5)
        except UnusablePicture as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert torch.from_numpy(np.array(picture.band(0))).isfinite().all()
