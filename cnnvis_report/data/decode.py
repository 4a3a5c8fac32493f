"""One picture: from a file that a stranger made to what the network reads."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from cnnvis_report.data.byte_scale import Spread, spread_of, without_alpha
from cnnvis_report.data.formats import FORMATS, content, head_of, reason
from cnnvis_report.data.formats import ending as ending_of
from cnnvis_report.data.geometry import fit, kept_size, whole_picture
from cnnvis_report.data.pixels import MOST_PIXELS, ORIENTATION, Pixels, UnusablePicture
from cnnvis_report.data.preprocessing import NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.reader import FALLBACK, Source, check_pixels, reader_for
from cnnvis_report.data.readers.pillow import open_image
from cnnvis_report.data.tiff import tiff_pages
from cnnvis_report.data.transform import shown_pixels
from cnnvis_report.data.upright_picture import NOTE, UprightPicture

# Up to so many pixels a picture is made whole; a larger one row by row as it is resized, to the very same bits.
WHOLE_UP_TO = 1 << 24


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


def open_picture(
    source: Source, page: int = 0, levels: Levels = NO_LEVELS, ending: str = ""
) -> Image.Image | UprightPicture:
    """An upright picture in mode RGB or L, whatever the file holds; a large one makes its rows as they are needed.

    Transparent places show white; of an animation the first frame counts; more than 8 bits become 8, and what a user
    has to know of that is among the picture's `info`, under NOTE.

    Args:
        page: of a file with several images, counted from 0. levels: how more than 8 bits are read. ending: of the
            file's name, where `source` doesn't tell it.

    Raises:
        UnusablePicture: the file is empty, cut short, too large, or no picture of a known format.
    """
    with _decoding(source):
        picture = UprightPicture.of(_pixels(source, page, ending), levels)
        return picture.whole() if picture.size[0] * picture.size[1] <= WHOLE_UP_TO else picture


def read_picture(source: Source, page: int = 0, levels: Levels = NO_LEVELS, ending: str = "") -> Image.Image:
    """The same, whole whatever its size.

    Raises:
        UnusablePicture: as `open_picture` does.
    """
    picture = open_picture(source, page, levels, ending)
    if isinstance(picture, Image.Image):
        return picture
    with _decoding(source):
        return picture.whole()


def read_values(source: Path, page: int) -> npt.NDArray[np.generic] | None:
    """The values of a picture of more than 8 bits a channel, without alpha, as they are stored; None where it has 8.

    Raises:
        UnusablePicture: it can't be read.
    """
    with _decoding(source):
        pixels = _pixels(source, page)
        return without_alpha(np.asarray(pixels.rows(0, pixels.size[1]))) if pixels.deep else None


def read_spread(source: Path, page: int) -> Spread | None:
    """The ends of the values of a picture of more than 8 bits a channel; None where it has 8.

    Raises:
        UnusablePicture: it can't be read, or has values that aren't finite.
    """
    with _decoding(source):
        pixels = _pixels(source, page)
        return spread_of(pixels) if pixels.deep else None


def picture_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of a file's first image, from its head where Pillow reads it; None where it can't be read."""
    try:
        if not path.is_file():  # a pipe would never answer
            return None
        with _decoding(path):
            if reader_for(head_of(path), ending_of(path)).name != FALLBACK:
                width, height = _pixels(path, 0).size
                return height, width
            with open_image(path, 0) as opened:
                # of a TIFF, Pillow gives the size upright
                turned = opened.format != "TIFF" and opened.getexif().get(ORIENTATION, 1) >= 5
                return (opened.width, opened.height) if turned else (opened.height, opened.width)
    except UnusablePicture:
        return None


def prepare(picture: Image.Image | UprightPicture | Picture, preprocessing: Preprocessing) -> Picture:
    """Resize, crop and normalize a picture as the network's preprocessing says; one that is ready stays as it is.

    Raises:
        UnusablePicture: it would have too many pixels.
    """
    if isinstance(picture, Picture):
        return picture
    original = (picture.size[1], picture.size[0])
    note = picture.note if isinstance(picture, UprightPicture) else str(picture.info.get(NOTE, ""))
    if preprocessing.transform is not None:
        values = preprocessing.transform.of(whole_picture(picture))
        restored = preprocessing.restore(values) if preprocessing.transform.reversible else None
        return Picture(values, shown_pixels(values, restored), original, note)
    width, height = kept_size(picture.size, preprocessing)
    if width * height > MOST_PIXELS:
        raise UnusablePicture(
            f"{width}×{height} pixels after resizing; at most {MOST_PIXELS // 10**6} million are made. "
            f"Another --size makes it smaller"
        )
    mode = "L" if preprocessing.channels == 1 else "RGB"
    # gray becomes color when it is small: that gives the same bits, and a large one would take four times its memory
    # but a tensor of one channel is resized with other roundings, and beside it there is no mean color
    late = preprocessing.library != "transformers" and not preprocessing.fill_color
    picture = picture if picture.mode == mode or (late and picture.mode == "L") else picture.convert(mode)
    filter = Image.Resampling[preprocessing.interpolation.upper()]
    try:
        resized = fit(picture, preprocessing, filter, preprocessing.fill_color)
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    resized = resized if resized.mode == mode else resized.convert(mode)
    shown = np.asarray(resized, dtype=np.uint8)
    pixels = torch.from_numpy(shown.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return Picture(preprocessing.normalize(pixels.contiguous()), shown, original, note)


def _pixels(source: Source, page: int, ending: str = "") -> Pixels:
    """What the reader of such files gives.

    Raises:
        UnusablePicture: it can't be read, or has more pixels than are read.
    """
    reader = reader_for(head_of(source), ending_of(source) if isinstance(source, Path) else ending)
    if reader.missing:
        raise UnusablePicture(reader.missing)
    if not isinstance(source, Path):
        source.seek(0)
    pixels = check_pixels(reader.read(source, page))
    width, height = pixels.size
    if width * height > MOST_PIXELS:
        raise UnusablePicture(f"{width}×{height} pixels; at most {MOST_PIXELS // 10**6} million are read")
    return pixels


@contextmanager
def _decoding(source: Source) -> Iterator[None]:
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


def _unknown(source: Source) -> str:
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
