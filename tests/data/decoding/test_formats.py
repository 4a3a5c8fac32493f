"""Pictures as cameras, scanners, microscopes and satellites write them: all is read, or a note says what is not."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image

from cnnvis_report.data.decoding.upright_picture import NOTE
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import Levels
from tests.picture_reading import opened_bytes, read_picture

RAMP = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
OPAQUE = np.full_like(RAMP, 65535)
EIGHT = np.arange(256).reshape(16, 16)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(path: Path, *channels: np.ndarray, color: int, before: bytes = b"") -> Path:
    values = np.stack(channels, 2).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, color, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before
    path.write_bytes(start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def tiff(path: Path, values: np.ndarray, photometric: int, kind: int = 1, extra: int | None = None) -> Path:
    """Without compression. kind: 1 for unsigned, 2 for signed, 3 for floating point."""
    count, bits = values.shape[2] if values.ndim == 3 else 1, 8 * values.itemsize
    tags = {256: [values.shape[1]], 257: [values.shape[0]], 258: [bits] * count, 259: [1], 262: [photometric]}
    tags |= {273: [0], 277: [count], 278: [values.shape[0]], 279: [values.nbytes], 339: [kind] * count}
    tags |= {338: [extra]} if extra is not None else {}
    behind, body, entries = 8 + 2 + 12 * len(tags) + 4, b"", []
    longer = {
        tag: behind + sum(2 * len(each) for at, each in tags.items() if at < tag and len(each) > 2) for tag in tags
    }
    size = sum(2 * len(each) for each in tags.values() if len(each) > 2)
    for tag in sorted(tags):
        given = [behind + size] if tag == 273 else tags[tag]
        packed = struct.pack(f"<{len(given)}H", *given)
        body += packed if len(given) > 2 else b""
        content = struct.pack("<I", longer[tag]) if len(given) > 2 else packed.ljust(4, b"\0")
        entries.append(struct.pack("<HHI", tag, 3, len(given)) + content)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(entries) + b"\0\0\0\0"
    path.write_bytes(head + body + values.tobytes())
    return path


def shown(path: Path, **given: Any) -> tuple[np.ndarray, str]:
    picture = read_picture(path, **given)
    return np.asarray(picture).astype(int), picture.info.get(NOTE, "")


@pytest.mark.parametrize(
    ("channels", "color"), [((RAMP >> 4, OPAQUE), 4), ((RAMP >> 4, RAMP >> 4, RAMP >> 4, OPAQUE), 6)]
)
def test_sixteen_bits_beside_an_alpha_are_read_by_their_own_range(tmp_path: Path, channels: Any, color: Any) -> None:
    """Twelve bits of a camera; the alpha is of sixteen all the same, and says nothing of their range."""
    path = png(tmp_path / "a.png", *channels, color=color)
    found, note = shown(path)
    assert np.abs(found - EIGHT[..., None]).max() <= 1 and note.startswith("read as 12 bits")
    (item,) = labeled(find_images([path]), ())
    assert np.array_equal(opened_bytes(item), found)
    exact, _ = shown(png(tmp_path / "b.png", (RAMP >> 8) + 512, OPAQUE, color=4), levels=Levels(range=(512, 767)))
    assert np.array_equal(exact[..., 0], RAMP >> 8), "the lower byte counts"


def test_half_transparent_gray_of_sixteen_bits_lies_on_white(tmp_path: Path) -> None:
    found, _ = shown(png(tmp_path / "a.png", RAMP, OPAQUE // 2, color=4))
    assert np.abs(found[..., 0] - (EIGHT + 255) / 2).max() <= 1


def test_the_color_that_a_png_calls_transparent_shows_white(tmp_path: Path) -> None:
    gray = png(tmp_path / "g.png", RAMP, color=0, before=chunk(b"tRNS", struct.pack(">H", 0)))
    expected = np.where(RAMP == 0, 255, EIGHT)
    assert np.abs(shown(gray)[0] - expected).max() <= 1
    color = png(tmp_path / "c.png", RAMP, RAMP, RAMP, color=2, before=chunk(b"tRNS", struct.pack(">HHH", 0, 0, 0)))
    assert np.abs(shown(color)[0] - expected[..., None]).max() <= 1


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (RAMP.astype("<u4") * 65537, 1, "read as 32 bits"),
        ((RAMP.astype(int) - 32768).astype("<i2"), 2, "read from -32768 to 32767"),
        ((EIGHT - 128).astype("i1"), 2, "read from -128 to 127"),
        ((RAMP.astype(np.int64) * 65537 - 2**31).astype("<i4"), 2, "read from -2.14748e+09 to 2.14748e+09"),
        ((RAMP / 65535).astype("<f4"), 3, ""),
    ],
)
def test_numbers_of_a_tiff_are_those_that_were_written(tmp_path: Path, values: Any, kind: Any, note: Any) -> None:
    found, said = shown(tiff(tmp_path / "a.tif", values, 1, kind))
    assert np.abs(found - EIGHT).max() <= 1 and said.startswith(note) and bool(said) == bool(note)


@pytest.mark.parametrize("values", [RAMP, RAMP >> 8, EIGHT.astype("u1")])
def test_where_white_is_zero_black_is_not(tmp_path: Path, values: Any) -> None:
    found, _ = shown(tiff(tmp_path / "a.tif", values, 0), levels=Levels(range=(0, np.iinfo(values.dtype).max)))
    assert np.abs(found - (255 - np.rint(values * (255 / np.iinfo(values.dtype).max)))).max() <= 1


@pytest.mark.parametrize(
    ("values", "photometric", "extra", "note"),
    [
        (np.stack([EIGHT] * 4, 2).astype("u1"), 2, 0, "of its 4 channels the first 3 are read"),
        (np.stack([RAMP] * 4, 2), 2, 0, "of its 4 channels the first 3 are read"),
        pytest.param(
            np.stack([EIGHT] * 2, 2).astype("u1"),
            1,
            0,
            "of its 2 channels the first is read",
            marks=pytest.mark.skipif(PIL.__version__ < "13", reason="Pillow decodes such a TIFF from 13 on"),
        ),
        (np.stack([RAMP] * 4, 2), 5, None, "of its 16 bits a channel the upper 8 are read"),
        (np.stack([EIGHT] * 3, 2).astype("u1"), 2, None, ""),
    ],
)
def test_channels_that_are_left_aside_are_said(
    tmp_path: Path, values: Any, photometric: Any, extra: Any, note: Any
) -> None:
    assert shown(tiff(tmp_path / "a.tif", values, photometric, extra=extra))[1] == note


def test_several_pictures_in_one_file_are_said(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    both: dict[str, Any] = {"save_all": True, "append_images": [blue]}
    exif = Image.Exif()
    exif[270] = "x" * 9000  # as long as a thumbnail, so that what counts comes late
    red.save(tmp_path / "phone.jpg", format="MPO", exif=exif, **both)
    red.save(tmp_path / "stereo.mpo", format="MPO", **both)
    red.save(tmp_path / "plain.jpg", format="JPEG", exif=exif)
    red.save(tmp_path / "one.mpo", format="MPO")
    red.save(tmp_path / "moves.png", **both)
    content = (tmp_path / "moves.png").read_bytes()
    (tmp_path / "late.png").write_bytes(content[:33] + chunk(b"tEXt", b"k\0" + b"x" * 9000) + content[33:])
    red.save(tmp_path / "still.png", save_all=True)
    said = " ".join(find_images([tmp_path]).notices)
    assert "2 JPEG files hold several pictures, of which the first is taken: phone.jpg, stereo.mpo." in said
    assert "2 files are animations, of which the first frame is taken: late.png, moves.png." in said


def test_a_deep_jpeg_2000_counts_for_the_range_of_the_set(tmp_path: Path) -> None:
    Image.fromarray(RAMP >> 4).save(tmp_path / "a.jp2", irreversible=False)
    Image.new("RGB", (16, 16), "red").save(tmp_path / "b.jp2")
    assert [each.deep for each in find_images([tmp_path])] == [True, False]
    assert np.abs(shown(tmp_path / "a.jp2")[0] - EIGHT).max() <= 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.jp2", "a.mpo"])
@pytest.mark.parametrize("cut", [1, 3, 12, 24, 30, 60])
def test_heads_that_break_off_end_the_search(tmp_path: Path, name: str, cut: Any) -> None:
    kind = {"a.jpg": "MPO", "a.mpo": "MPO", "a.png": "PNG", "a.jp2": "JPEG2000"}[name]
    more = {} if kind == "JPEG2000" else {"save_all": True, "append_images": [Image.new("RGB", (8, 8))]}
    Image.new("RGB", (8, 8), "red").save(tmp_path / name, format=kind, **more)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:cut])
    assert len(find_images([tmp_path])) == 1
