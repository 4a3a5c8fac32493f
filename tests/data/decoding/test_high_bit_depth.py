"""More than 8 bits a channel: every value counts, sets are read alike, and what was done is said."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.decoding.upright_picture import NOTE, READING
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.opening.preprocessing import read_range
from tests.data.deep_files import png
from tests.picture_reading import opened_bytes, read_picture, stored_values

RAMP = np.linspace(0, 65535, 240).astype(np.uint16)
GREY = RAMP.reshape(12, 20)
COLOURS = RAMP.reshape(10, 8, 3)
LEVELS = (NO_LEVELS, Levels(bits=12), Levels((0, 4095)), Levels(percentiles=(1, 99)), Levels(windows=False))


def tiff(values: np.ndarray, order: str, packed: bool = False) -> bytes:
    """A TIFF of 16 bits in either byte order, deflated or not, by hand."""
    height, width, samples = (*values.shape, 1)[:3]
    content = values.astype(f"{order}u2").tobytes()
    content = zlib.compress(content) if packed else content
    content += b"\0" * (len(content) % 2)
    photometric, bits = (2, 8) if samples == 3 else (1, 0)
    entries = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 8 if packed else 1), (262, 3, 1, photometric)]
    entries += [(273, 4, 1, 16), (277, 3, 1, samples), (278, 4, 1, height), (279, 4, 1, len(content))]
    entries += [(258, 3, samples, 16 if samples == 1 else bits)]
    made = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 16 + len(content))
    made += struct.pack(f"{order}3H", 16, 16, 16) + b"\0\0" + content
    made += struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in sorted(entries):
        short = kind == 3 and count == 1
        made += struct.pack(f"{order}HHI" + ("HH" if short else "I"), tag, kind, count, value, *([0] * short))
    return made + b"\0\0\0\0"


@pytest.mark.parametrize("values", [GREY, COLOURS, GREY // 16, COLOURS // 16], ids=["gray", "rgb", "gray12", "rgb12"])
@pytest.mark.parametrize("kind", ["png", "<tiff", ">tiff", "<deflated", ">deflated"])
def test_all_16_bits_are_read(tmp_path: Path, values: Any, kind: Any) -> None:
    path = tmp_path / "a.img"
    path.write_bytes(png(values) if kind == "png" else tiff(values, kind[0], "deflated" in kind))
    np.testing.assert_array_equal(stored_values(path), values)
    bits = 12 if values.max() < 4096 else 16
    expected = np.rint(values * (255 / (2**bits - 1)))
    picture = read_picture(path)
    np.testing.assert_array_equal(np.asarray(picture), expected)
    np.testing.assert_array_equal(np.asarray(read_picture(io.BytesIO(path.read_bytes()))), expected)
    assert picture.info.get(NOTE, "") == ("" if bits == 16 else "read as 12 bits, as its largest value is 4095")


def test_transparent_places_of_16_bits_show_white(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 4), np.uint16)
    values[:2, :, 3] = 65535
    (tmp_path / "a.png").write_bytes(png(values))
    found = np.asarray(read_picture(tmp_path / "a.png"))
    assert found.shape == (4, 4, 3) and (found[:2] == 0).all() and (found[2:] == 255).all()


def test_the_transparent_value_of_16_bits_shows_white(tmp_path: Path) -> None:
    content, value = png(GREY), struct.pack(">H", int(GREY[3, 4]))
    chunk = struct.pack(">I", 2) + b"tRNS" + value + struct.pack(">I", zlib.crc32(b"tRNS" + value))
    (tmp_path / "a.png").write_bytes(content[:33] + chunk + content[33:])  # behind the head
    expected = np.rint(GREY * (255 / 65535))
    expected[3, 4] = 255
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "a.png")), expected)


def test_a_range_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY))
    picture = read_picture(tmp_path / "a.png", levels=Levels(range=(10000, 30000)))
    expected = np.clip(np.rint((GREY.astype(float) - 10000) * 255 / 20000), 0, 255)
    np.testing.assert_array_equal(np.asarray(picture), expected)
    assert NOTE not in picture.info


@pytest.mark.parametrize(
    "text", ["1", "1,2,3", "5,5", "7,2", "0,nan", "-inf,1", "p1", "p9,p1", "p1,99", "1,p99", "all"]
)
def test_a_range_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(BadRequest, match=rf"^--range '{text}': give LOW,HIGH, [^\n]*$"):
        read_range(text)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("0,4095", Levels(range=(0, 4095))),
        ("-160, 240", Levels(range=(-160, 240))),
        ("p1,p99.5", Levels(percentiles=(1, 99.5))),
        ("p0,p100", Levels(percentiles=(0, 100))),
        ("window", Levels()),
        ("full", Levels(windows=False)),
    ],
)
def test_a_range_is_read_from_its_text(text: str, levels: Levels) -> None:
    assert read_range(text) == levels


def test_eight_bits_have_no_range(tmp_path: Path) -> None:
    eight = np.arange(240, dtype=np.uint8).reshape(12, 20) // 4
    Image.fromarray(eight).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png", levels=Levels(range=(0, 10)))
    np.testing.assert_array_equal(np.asarray(picture), eight)
    assert stored_values(tmp_path / "a.png") is None


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255], ""),
        ([0.0, 51.0, 255.0], [0, 51, 255], ""),
        ([0.0, 257.0, 65535.0], [0, 1, 255], ""),
        ([-1.0, 0.0, 1.0], [0, 128, 255], "read from -1 to 1, its own range"),
        ([0.0, 5e5, 1e6], [0, 128, 255], "read from 0 to 1e+06, its own range"),
    ],
)
def test_floating_point_has_the_range_that_holds_it(tmp_path: Path, values: Any, expected: Any, note: Any) -> None:
    Image.fromarray(np.tile(np.array(values, np.float32), (3, 1))).save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    assert np.asarray(picture)[0].tolist() == expected and picture.info.get(NOTE, "") == note


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UnusablePicture, match="aren't finite"):
        read_picture(tmp_path / "a.tif")


def test_a_set_is_read_alike(tmp_path: Path) -> None:
    for number, most in enumerate((300, 4095, 900)):
        (tmp_path / f"{number}.png").write_bytes(png((GREY.astype(float) * most / 65535).astype(np.uint16)))
    Image.new("L", (20, 12), 7).save(tmp_path / "eight.png")
    found = find_images([tmp_path])
    levels, notices = find_levels(found, NO_LEVELS, "--range")
    assert levels == Levels(bits=12)
    assert notices == (
        "3 pictures have more than 8 bits, and none a value above 4095: read as 12 bits. "
        "--range 0,65535 reads them from 0 to 65535.",
    )
    items = labeled(found, (), levels=levels).items
    assert [opened_bytes(item).max() for item in items] == [19, 255, 56, 7], "of 4095, and 8 bits"
    assert find_levels(found, Levels(bits=14)) == (Levels(bits=14), ()), "what a model was trained with"
    assert find_levels(found, Levels(range=(0, 9)))[1] == ("3 pictures have more than 8 bits, read from 0 to 9.",)


def test_what_the_set_did_not_show_is_said_of_the_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY))
    note = read_picture(tmp_path / "a.png", levels=Levels(bits=12)).info[NOTE]
    assert note == f"{(GREY > 4095).mean():.1%} of its values lie above 4095 and are cut; it has up to 65535"


def test_full_range_needs_no_word_and_no_range_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY))
    assert find_levels(find_images([tmp_path]), NO_LEVELS) == (Levels(bits=16), ())
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert find_levels(find_images([tmp_path]), NO_LEVELS) == (NO_LEVELS, ())
    assert "no file says that it has more" in find_levels(find_images([tmp_path]), Levels(range=(0, 9)))[1][0]


def test_levels_are_part_of_how_a_picture_is_prepared() -> None:
    described = {Preprocessing(levels=levels).describe() for levels in LEVELS}
    assert len(described) == len(LEVELS)


def test_a_tiff_that_cannot_be_decoded_says_what_it_has(tmp_path: Path) -> None:
    five = bytearray(tiff(np.zeros((4, 4), np.uint16), "<"))
    at = five.index(struct.pack("<HHI", 277, 3, 1))
    struct.pack_into("<H", five, at + 8, 5)
    (tmp_path / "a.tif").write_bytes(bytes(five))
    with pytest.raises(UnusablePicture, match="a TIFF of 5 channels with 16 bits each"):
        read_picture(tmp_path / "a.tif")


def test_pictures_that_stay_dark_among_others_are_said(tmp_path: Path) -> None:
    for name, most in (("a", 65535), ("b", 4095), ("c", 60000), ("d", 1000)):
        Image.fromarray(np.array([[0, most]], np.uint16)).save(tmp_path / f"{name}.png")
    (tmp_path / "a.png").rename(tmp_path / "a.tif")  # what a file is stands in its head
    levels, notices = find_levels(find_images([tmp_path]), NO_LEVELS, "--range")
    assert levels == Levels(bits=16)
    assert notices == (
        "2 of 4 pictures of more than 8 bits have no value above 4095, and all are read up to 65535: they are nearly "
        "black; --range 0,4095 reads all by theirs.",
    )


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "int32"])
@pytest.mark.parametrize("ends", [(1, 99), (0, 100), (12.5, 50)], ids=str)
def test_percentiles_are_those_of_each_picture(dtype: str, ends: tuple[float, float], tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(3000, 900, (13, 17)).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    low, high = np.percentile(values.astype(float), ends)
    picture = read_picture(tmp_path / "a.npy", levels=Levels(percentiles=ends))
    expected = np.clip(np.rint((values.astype(float) - low) * 255 / (high - low)), 0, 255)
    np.testing.assert_array_equal(np.asarray(picture), expected)
    ends_are = f"values from {low:.6g} (black) to {high:.6g} (white)"
    assert picture.info[READING] == f"{ends_are}, its percentiles {ends[0]:g} and {ends[1]:g}"


def test_percentiles_are_said_of_the_set(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY))
    levels, notices = find_levels(find_images([tmp_path]), Levels(percentiles=(1, 99)), "--range")
    assert levels == Levels(percentiles=(1, 99))
    assert notices == ("1 picture has more than 8 bits, each read from its percentile 1 to its percentile 99.",)


def test_a_picture_of_one_value_has_percentiles_too(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(np.full((4, 4), 700)))
    assert not np.asarray(read_picture(tmp_path / "a.png", levels=Levels(percentiles=(1, 99)))).any()
