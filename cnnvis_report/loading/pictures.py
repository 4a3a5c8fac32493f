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
from cnnvis_report.preprocessing import Preprocessing

# No other decoder of Pillow is let near a file.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
EXTENSIONS = frozenset((".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"))
MOST_PIXELS = 120_000_000
ORIENTATION = 0x0112  # in EXIF; 5 to 8 lie on their side


class UnusablePicture(CnnVisError):
    """A file that no picture can be made of; the message is the reason alone, without the name."""


@dataclass(frozen=True)
class Picture:
    """One image, ready.

    values: [C, H, W] float32 as the network reads it. seen: H×W×3 (or H×W) bytes, the same un-normalised.
    original: (height, width) as stored, after turning it upright.
    """

    values: Tensor
    seen: npt.NDArray[np.uint8]
    original: tuple[int, int]


def read_picture(source: Path | BinaryIO) -> Image.Image:
    """An upright picture in mode RGB or L, whatever the file holds.

    Transparent places show white; of an animation the first frame counts; 16 bits become 8.

    Raises:
        UnusablePicture: the file is empty, cut short, too large, or no picture of a known format.
    """
    Image.init()  # Pillow knows the formats by name only after that
    with _decoding():
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise UnusablePicture(
                    f"{opened.width}×{opened.height} pixels; at most {MOST_PIXELS // 10**6} million are read"
                )
            opened.load()
            upright = ImageOps.exif_transpose(opened)
        return _plain(upright)


def picture_size(path: Path) -> tuple[int, int] | None:
    """(height, width) as the file's head says, without decoding it; None where it can't be read."""
    Image.init()
    try:
        if not path.is_file():  # a pipe would never answer
            return None
        with _decoding(), Image.open(path, formats=FORMATS) as opened:
            # of a TIFF, Pillow gives the size upright
            turned = opened.format != "TIFF" and opened.getexif().get(ORIENTATION, 1) >= 5
            return (opened.width, opened.height) if turned else (opened.height, opened.width)
    except UnusablePicture:
        return None


def prepare(picture: Image.Image, preprocessing: Preprocessing) -> Picture:
    """Resize, crop and normalise a picture as the network's preprocessing says."""
    original = (picture.height, picture.width)
    picture = picture.convert("L" if preprocessing.channels == 1 else "RGB")
    picture = fit(picture, preprocessing, Image.Resampling[preprocessing.interpolation.upper()])
    seen = np.asarray(picture, dtype=np.uint8)
    pixels = torch.from_numpy(seen.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return Picture(preprocessing.normalise(pixels.contiguous()), seen, original)


def fit(picture: Image.Image, preprocessing: Preprocessing, filter: Image.Resampling) -> Image.Image:
    """The geometry of the preprocessing alone, for pictures and for masks that go with them."""
    resize = preprocessing.resize
    if isinstance(resize, int):
        short, long = sorted(picture.size)
        other = max(1, int(resize * long / short))
        size = (resize, other) if picture.width <= picture.height else (other, resize)
        picture = picture.resize(size, filter)
    elif resize is not None:
        picture = picture.resize((resize[1], resize[0]), filter)
    if preprocessing.crop is not None:
        height, width = preprocessing.crop
        # rounded to even as Python rounds, which is what torchvision's centre crop does
        left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
        picture = picture.crop((left, top, left + width, top + height))
    return picture


def _plain(picture: Image.Image) -> Image.Image:
    """Mode RGB or L, 8 bits a channel."""
    if picture.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(picture)))
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(ground, layered).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _eight_bits(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Grey of 16 bits in 8 bits. Floating-point grey has no fixed range: 1, 255 or 65535, whichever holds it."""
    grey = values.astype(np.float64)
    if not np.isfinite(grey).all():
        raise UnusablePicture("grey values that aren't finite")
    full = 65535.0
    if values.dtype.kind == "f":
        full = next((end for end in (1.0, 255.0) if grey.max(initial=0.0) <= end), full)
    return np.clip(np.rint(grey * (255 / full)), 0, 255).astype(np.uint8)


@contextmanager
def _decoding() -> Iterator[None]:
    """Whatever a decoder says of a bad file, in one family and without the file's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture(f"not an image of a known format ({', '.join(FORMATS)})") from error
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
