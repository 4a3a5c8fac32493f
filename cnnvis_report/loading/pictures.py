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

from cnnvis_report.errors import CnnVisError
from cnnvis_report.loading.depth import deep_values, is_deep, left_aside, to_bytes, transparent, without_alpha
from cnnvis_report.loading.formats import FORMATS, content, head_of, reason
from cnnvis_report.loading.geometry import fit, kept_size
from cnnvis_report.loading.tiff import tiff_pages
from cnnvis_report.preprocessing import NO_LEVELS, Levels, Preprocessing

MOST_PIXELS = 120_000_000
NOTE = "cnnvis-report note"
ORIENTATION = 0x0112  # in EXIF; 5 to 8 lie on their side


class UnusablePicture(CnnVisError):
    """A file that no picture can be made of; the message is the reason alone, without the name."""


@dataclass(frozen=True)
class Picture:
    """One image, ready.

    values: [C, H, W] float32 as the network reads it. seen: H×W×3 (or H×W) bytes, the same un-normalised.
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
            opened.load()
            picture = _plain(ImageOps.exif_transpose(opened))
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
    if opened.width * opened.height > MOST_PIXELS:
        opened.close()
        raise UnusablePicture(f"{opened.width}×{opened.height} pixels; at most {MOST_PIXELS // 10**6} million are read")
    return opened


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
    """Resize, crop and normalise a picture as the network's preprocessing says.

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
    picture = picture if picture.mode == mode else picture.convert(mode)
    picture = fit(picture, preprocessing, Image.Resampling[preprocessing.interpolation.upper()])
    seen = np.asarray(picture, dtype=np.uint8)
    pixels = torch.from_numpy(seen.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return Picture(preprocessing.normalise(pixels.contiguous()), seen, original, note)


def _plain(picture: Image.Image) -> Image.Image:
    """Mode RGB or L, from 8 bits a channel."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(ground, layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


@contextmanager
def _decoding(source: Path | BinaryIO) -> Iterator[None]:
    """Whatever a decoder says of a bad file, in one family and without the file's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
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
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, ArithmeticError) as error:
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
