"""One picture: from a file that a stranger made to what the network reads."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from cnnvis_report.data.formats import FORMATS, content, head_of, reason
from cnnvis_report.data.geometry import fit, kept_size
from cnnvis_report.data.high_bit_depth import deep_values, is_deep, left_aside, to_bytes, transparent, without_alpha
from cnnvis_report.data.preprocessing import NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.tiff import tiff_pages
from cnnvis_report.errors import CnnVisError

MOST_PIXELS = 120_000_000
MOST_DEEP = 60_000_000  # of more than 8 bits a channel, which take twice the memory and more
MOST_SCANNED = 2_000_000_000  # pixels times scans of a progressive JPEG: a scan of a few bytes goes through all of them
TILE = 1024  # pixels a side of what is laid on white at a time
NOTE = "cnnvis-report note"
ORIENTATION = 0x0112  # in EXIF; 5 to 8 lie on their side


class UnusablePicture(CnnVisError):
    """A file that no picture can be made of; the message is the reason alone, without the name."""


@dataclass(frozen=True)
class Picture:
    """One image, ready.

    values: [C, H, W] float32 as the network reads it. seen: H×W×3 (or H×W) bytes, the same un-normalized.
    original: (height, width) as stored, after turning it upright. note: what a user has to know of how it was read.
    """

    values: Tensor
    seen: npt.NDArray[np.uint8]
    original: tuple[int, int]
    note: str = ""


def read_picture(source: Path | BinaryIO, page: int = 0, levels: Levels = NO_LEVELS) -> Image.Image:
    """An upright picture in mode RGB or L, whatever the file holds.

    Transparent places show white; of an animation the first frame counts; more than 8 bits become 8, and what a user
    has to know of that is among the picture's `info`, under NOTE.

    Args:
        page: of a TIFF, counted from 0. levels: how more than 8 bits are read.

    Raises:
        UnusablePicture: the file is empty, cut short, too large, or no picture of a known format.
    """
    with _decoding(source), _opened(source, page) as opened:
        beyond = left_aside(opened)
        if not is_deep(opened):
            _check_scans(opened, source)
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)
            picture = _plain(opened)
            picture.info |= {NOTE: beyond} if beyond else {}
            return picture
        values = deep_values(opened, lambda: _opened(source, page))
        try:
            shallow, note = to_bytes(values, levels)
        except ValueError as error:
            raise UnusablePicture(str(error)) from error
        clear = transparent(opened, values)
        if clear is not None:
            shallow[clear] = 255
        picture = _plain(Image.fromarray(shallow))
        notes = "; ".join(filter(None, (beyond, note)))
        picture.info = {NOTE: notes} if notes else {}
        return picture


def read_values(source: Path, page: int) -> npt.NDArray[np.generic] | None:
    """The values of a picture of more than 8 bits a channel, without alpha, as they are stored; None where it has 8.

    Raises:
        UnusablePicture: it can't be read.
    """
    with _decoding(source), _opened(source, page) as opened:
        if not is_deep(opened):
            return None
        return without_alpha(deep_values(opened, lambda: _opened(source, page)))


def _opened(source: Path | BinaryIO, page: int) -> Image.Image:
    """The picture with its head read, and its size found good."""
    Image.init()  # Pillow knows the formats by name only after that
    if not isinstance(source, Path):
        source.seek(0)
    opened = Image.open(source, formats=[name for name in FORMATS if name in Image.OPEN])
    if page:
        opened.seek(page)
    try:
        _check_size(opened)
    except UnusablePicture:
        opened.close()
        raise
    return opened


def _check_size(opened: Image.Image) -> None:
    """Refuse what would take more memory than a picture should, by its head alone.

    Raises:
        UnusablePicture: saying how many pixels it has, and how many are read.
    """
    pixels, sides = opened.width * opened.height, f"{opened.width}×{opened.height} pixels"
    if pixels > MOST_PIXELS:
        raise UnusablePicture(f"{sides}; at most {MOST_PIXELS // 10**6} million are read")
    if pixels > MOST_DEEP and is_deep(opened):
        most = f"at most {MOST_DEEP // 10**6} million of more than 8 bits a channel are read"
        raise UnusablePicture(f"{sides}; {most}")


def _check_scans(opened: Image.Image, source: Path | BinaryIO) -> None:
    """Refuse a JPEG that is gone through so often that it would take minutes.

    Raises:
        UnusablePicture: saying how often.
    """
    if opened.format in ("JPEG", "MPO") and opened.info.get("progressive"):
        scans, pixels = _count(source, b"\xff\xda"), opened.width * opened.height
        if scans * pixels > MOST_SCANNED:
            most = f"at most {MOST_SCANNED // pixels} are read of a picture of that size"
            raise UnusablePicture(f"{opened.width}×{opened.height} pixels in {scans} scans; {most}")


def _count(source: Path | BinaryIO, marker: bytes) -> int:
    """How often two bytes stand in a file, wherever it was being read."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return sum(part.count(marker) for part in iter(lambda: file.read(1 << 20), b""))
    place = source.tell()
    source.seek(0)
    found = sum(part.count(marker) for part in iter(lambda: source.read(1 << 20), b""))
    source.seek(place)
    return found


def picture_size(path: Path) -> tuple[int, int] | None:
    """(height, width) as the file's head says, without decoding it; None where it can't be read."""
    try:
        if not path.is_file():  # a pipe would never answer
            return None
        with _decoding(path), _opened(path, 0) as opened:
            # of a TIFF, Pillow gives the size upright
            turned = opened.format != "TIFF" and opened.getexif().get(ORIENTATION, 1) >= 5
            return (opened.width, opened.height) if turned else (opened.height, opened.width)
    except UnusablePicture:
        return None


def prepare(picture: Image.Image, preprocessing: Preprocessing) -> Picture:
    """Resize, crop and normalize a picture as the network's preprocessing says.

    Raises:
        UnusablePicture: it would have too many pixels.
    """
    original, note = (picture.height, picture.width), str(picture.info.get(NOTE, ""))
    width, height = kept_size(picture.size, preprocessing)
    if width * height > MOST_PIXELS:
        raise UnusablePicture(
            f"{width}×{height} pixels after resizing; at most {MOST_PIXELS // 10**6} million are made. "
            f"Another --size makes it smaller"
        )
    mode = "L" if preprocessing.channels == 1 else "RGB"
    # gray becomes color when it is small: that gives the same bits, and a large one would take four times its memory
    picture = picture if picture.mode in (mode, "L") else picture.convert(mode)
    picture = fit(picture, preprocessing, Image.Resampling[preprocessing.interpolation.upper()])
    picture = picture if picture.mode == mode else picture.convert(mode)
    seen = np.asarray(picture, dtype=np.uint8)
    pixels = torch.from_numpy(seen.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return Picture(preprocessing.normalize(pixels.contiguous()), seen, original, note)


def _plain(picture: Image.Image) -> Image.Image:
    """Mode RGB or L, from 8 bits a channel."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        return _on_white(picture)
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _on_white(picture: Image.Image) -> Image.Image:
    """What shows through is white; tile by tile, as a whole one would be in memory four times."""
    made = Image.new("RGB", picture.size)
    for top in range(0, picture.height, TILE):
        for left in range(0, picture.width, TILE):
            box = (left, top, min(left + TILE, picture.width), min(top + TILE, picture.height))
            takes_layer = picture.crop(box).convert("RGBA")
            ground = Image.new("RGBA", takes_layer.size, "white")
            made.paste(Image.alpha_composite(ground, takes_layer).convert("RGB"), box)
    return made


@contextmanager
def _decoding(source: Path | BinaryIO) -> Iterator[None]:
    """Whatever a decoder says of a bad file, in one family and without the file's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's of 89 million pixels too: the limit is ours
            yield
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture(_unknown(source)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(f"more pixels than the {MOST_PIXELS // 10**6} million that are read") from error
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    except FileNotFoundError as error:
        raise UnusablePicture("there is no such file") from error
    except PermissionError as error:
        raise UnusablePicture("may not be read (permission denied)") from error
    except Exception as error:  # decoders of damaged files raise whatever comes
        raise UnusablePicture("damaged or cut short") from error


def _unknown(source: Path | BinaryIO) -> str:
    """What a file is that no decoder takes."""
    head = head_of(source)
    if why := reason(content(head)):
        return f"holds {why}"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the picture itself; fetch it: git lfs pull"
    page = next(iter(tiff_pages(source)), None)
    if page is not None:
        return (
            f"a TIFF of {page.samples} channels with {page.bits} bits each, which can't be decoded; save it with 1 "
            f"channel or 3, of 8 or 16 bits"
        )
    return f"not an image of a known format ({', '.join(FORMATS)})"
