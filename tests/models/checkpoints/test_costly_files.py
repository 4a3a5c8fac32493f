"""Files that cost more than they should: told by their heads, and refused with the limit that they break."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from cnnvis_report.data import pixels
from cnnvis_report.data.decoding import decode
from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.masks.bounding_boxes import read_boxes
from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.readers import pillow
from cnnvis_report.data.tables.text_list import read_list
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import read_candidates
from tests.conftest import command
from tests.exhaustive import represented
from tests.picture_reading import read_picture


def png(width: int, height: int, depth: int = 8, color: int = 0) -> bytes:
    """A black PNG of any size, in few bytes."""
    row = b"\0" * (1 + (width * depth * {0: 1, 2: 3, 6: 4}[color] + 7) // 8)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    made = (
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def test_the_limit_of_pixels_is_the_one_that_is_named() -> None:
    # Pillow warns at 89 478 485
    assert read_picture(io.BytesIO(png(10_000, 9_500, depth=1))).size == (10_000, 9_500)
    with pytest.raises(UnusablePicture, match=f"12000×10001 pixels; at most {MOST_PIXELS // 10**6} million are read"):
        read_picture(io.BytesIO(png(12_000, 10_001, depth=1)))


def test_deep_pictures_have_a_limit_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MOST_DEEP", 1_000_000)
    with pytest.raises(UnusablePicture, match="1100×1000 pixels; at most 1 million of more than 8 bits a channel"):
        read_picture(io.BytesIO(png(1100, 1000, depth=16, color=2)))
    assert read_picture(io.BytesIO(png(1100, 1000, color=2))).size == (1100, 1000)


def test_scans_of_a_progressive_picture_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = io.BytesIO()
    Image.new("L", (100, 100)).save(made, "JPEG", progressive=True)
    content = made.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    monkeypatch.setattr(pillow, "MOST_SCANNED", 200_000)
    assert read_picture(io.BytesIO(content)).size == (100, 100)
    scans = content.count(b"\xff\xda")
    with pytest.raises(UnusablePicture, match=f"100×100 pixels in {scans + 30} scans; at most 20"):
        read_picture(io.BytesIO(content[:-2] + last * 30 + content[-2:]))


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small pictures treated as large ones are: a few rows at a time."""
    monkeypatch.setattr(decode, "WHOLE_UP_TO", 0)
    monkeypatch.setattr(pixels, "AT_A_TIME", 300)


def saved(mode: str, kind: str = "PNG", orientation: int = 1) -> io.BytesIO:
    """A picture in which no two places are alike, of 70×50 pixels."""
    if mode == "I;16":
        picture = Image.fromarray(np.arange(50 * 70, dtype=np.uint16).reshape(50, 70) * 18)
    else:
        picture = Image.effect_noise((70, 50), 90).convert("RGB")
        picture.paste(Image.linear_gradient("L").resize((30, 50)), (20, 0))
        picture.putalpha(Image.linear_gradient("L").resize((70, 50)))
        picture = picture.quantize(20) if mode == "P" else picture.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = io.BytesIO()
    picture.save(made, kind, exif=exif)
    return made


GEOMETRIES = {
    "crop": {"resize": 24, "crop": (20, 20)},
    "larger": {"resize": 120, "crop": (150, 90)},
    "whole": {"resize": (20, 30)},
    "cut-alone": {"crop": (90, 20)},
    "own-size": {},
    "nearest": {"resize": 24, "crop": (20, 20), "interpolation": "nearest"},
    "bicubic": {"resize": 24, "crop": (20, 20), "interpolation": "bicubic"},
}


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("L", "PNG"), ("I;16", "PNG"), ("1", "PNG"),
     ("CMYK", "TIFF"), ("RGB", "JPEG"), ("RGBA", "WEBP")],
)  # fmt: skip
def test_rows_at_a_time_give_the_bits_of_the_whole(
    mode: Any, kind: Any, geometry: Any, by_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The threshold is about memory alone: on its two sides every value is the same."""
    file, preprocessing = saved(mode, kind), Preprocessing(**geometry)
    picture = open_picture(file)
    assert isinstance(picture, UprightPicture) and picture.size == (70, 50)
    parts = prepare(picture, preprocessing)
    monkeypatch.setattr(decode, "WHOLE_UP_TO", 1 << 24)
    monkeypatch.setattr(pixels, "AT_A_TIME", 1 << 20)
    whole = prepare(open_picture(file), preprocessing)
    assert torch.equal(parts.values, whole.values) and (parts.seen == whole.seen).all()
    assert (parts.original, parts.note) == (whole.original, whole.note)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "I;16"])
def test_rows_are_upright(mode: str, orientation: int, by_rows: Any) -> None:
    file = saved(mode, "PNG", orientation)
    picture = open_picture(file)
    assert isinstance(picture, UprightPicture)
    rows = np.concatenate([np.asarray(picture.rows(row, row + 1)) for row in range(picture.size[1])])
    upright = ImageOps.exif_transpose(Image.open(file))
    wanted = np.rint(np.asarray(upright) * (255 / 65535)) if mode == "I;16" else np.asarray(upright)
    assert np.array_equal(rows, wanted)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_shows_through_is_white(mode: Any, by_rows: Any) -> None:
    file = saved(mode)
    above = Image.open(file).convert("RGBA")
    wanted = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")
    assert read_picture(file).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("geometry", [{"resize": 24, "crop": (20, 20)}, {"resize": (20, 30)}, {"crop": (90, 20)}, {}])
def test_gray_that_becomes_color_late_has_the_same_bits(geometry: Any) -> None:
    preprocessing = Preprocessing((0.4, 0.5, 0.6), (0.2, 0.3, 0.4), **geometry)
    gray = Image.effect_noise((60, 40), 90)
    late, early = prepare(gray, preprocessing), prepare(gray.convert("RGB"), preprocessing)
    assert torch.equal(late.values, early.values) and (late.seen == early.seen).all()


MORE = 120  # MB that any picture may take above its pixels
MEMORY = """
import sys
from pathlib import Path
from PIL import Image
from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.reader import readers
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
readers(), Image.init()
before = peak()
prepare(open_picture(Path(sys.argv[1])), Preprocessing(resize=110, crop=(96, 96)))
print((peak() - before) >> 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise elsewhere")
@pytest.mark.parametrize(
    ("picture", "decoded"),
    represented(
        [
            pytest.param({"width": 1, "height": 1_000_000}, 1, id="strip"),
            pytest.param({"width": 4200, "height": 4200, "color": 6}, 67, id="rgba"),
            pytest.param({"width": 4200, "height": 4200, "depth": 16, "color": 2}, 2 * 67, id="deep"),
        ],
        by=("rgba",),
    ),
)
def test_a_picture_takes_the_memory_of_its_pixels_once(picture: Any, decoded: Any, tmp_path: Path) -> None:
    """`decoded` is what Pillow needs for the pixels, in MB; above it are a million pixels in several forms."""
    path = tmp_path / "costly.png"
    path.write_bytes(png(**picture))
    child = [sys.executable, "-c", MEMORY, str(path)]
    taken = subprocess.run(child, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert int(taken.stdout) < decoded + MORE


def test_a_pipe_and_a_device_are_refused_wherever_a_file_is_read(drawn: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pt"
    os.mkfifo(pipe)
    with pytest.raises(UnusablePicture, match="no regular file"):
        read_boxes(pipe)
    for words in (
        ("resnet18", drawn, "--weights", pipe),
        ("resnet18", drawn, "--weights", "/dev/zero"),
        (pipe, drawn),
        ("tests.factories:tiny", pipe),
        ("tests.factories:tiny", drawn, "--class-names", pipe),
        ("tests.factories:tiny", drawn, "--masks", pipe),
    ):
        result = command("run", *words, "-o", tmp_path / "report", code=2)
        assert result.stderr.count("\n") == 1


def test_endless_lines_of_a_list_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a b " * 2_500_000)
    with pytest.raises(BadRequest, match="line 1 has 9999999 characters; a line of a list has at most 16384"):
        read_list(path, lambda _name: False)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_of_thousands_of_tensors_is_read(zipped: Any, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    history = [(at, (at, at)) for at in range(4000)]
    weights = {f"layer{at}.weight": torch.full((2,), float(at)) for at in range(4000)}
    torch.save({"state_dict": weights, "history": history}, path, _use_new_zipfile_serialization=zipped)
    (found,) = [each for each in read_candidates(path) if each.state]
    assert len(found.state) == 4000 and found.state["layer3999.weight"].tolist() == [3999, 3999]
