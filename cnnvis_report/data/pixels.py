"""What a reader gives of a picture: its pixels as they are stored, upright, a few rows at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.data.decoding.orientation import stored_turn, upright_rows, upright_size
from cnnvis_report.errors import CnnVisError

Values = npt.NDArray[Any]
Rows = Callable[[int, int], "Image.Image | Values"]

AT_A_TIME = 1 << 20  # pixels of which there is more than one form in memory
MOST_PIXELS = 120_000_000
MOST_DEEP = 60_000_000  # of more than 8 bits a channel, which take twice the memory
BAND_MODES = ("L", "LA", "RGB", "RGBA")  # whose channels are what the file has; others, such as palettes, are colors


class UnusablePicture(CnnVisError):
    """A file that no picture can be made of; the message is the reason alone, without the name."""


@dataclass(frozen=True)
class Window:
    """The values that a file itself calls black and white.

    title: what they are, such as "the window of the file". curve: where values between them don't lie on a line, what
    maps them to 0…1.
    """

    low: float
    high: float
    title: str
    curve: Callable[[Values], Values] | None = None


@dataclass(frozen=True)
class Pixels:
    """One image of a file, decoded.

    size: (width, height), upright. rows: the rows from one to before another, upright: a Pillow image of 8 bits a
    channel in any mode, or, where `deep`, an array H×W of gray, or H×W×C with C of 2, 3 or 4, the last of 2 and of 4
    the alpha, or bands that are none. note: what a user has to know of how it was read. transparent: of an array, the
    value or color that shows what is behind it; None where none does. stack: an array of three sides of which the bands
    may be the first or the last, which the network decides by what it reads. window: of an array, what the file says of
    its range; None where it says nothing. inverted: whether the lowest value is white. reading: what of the file it is,
    such as a slice of a volume, for the image's page.
    """

    size: tuple[int, int]
    rows: Rows
    deep: bool = False
    note: str = ""
    transparent: int | tuple[int, ...] | None = None
    stack: Values | None = None
    window: Window | None = None
    inverted: bool = False
    reading: str = ""

    @classmethod
    def of_image(cls, image: Image.Image, note: str = "") -> "Pixels":
        """A picture of 8 bits a channel, turned upright as its EXIF data say."""
        image.load()
        transpose = stored_turn(image)
        size = upright_size(image, transpose)
        return cls(size, lambda top, bottom: upright_rows(image, transpose, top, bottom), note=note)

    @classmethod
    def of_array(cls, values: Values, note: str = "") -> "Pixels":
        """An array H×W, or H×W×C with C of 1 to 4, the last of 2 and of 4 the alpha; bytes, or numbers of any range.

        Raises:
            UnusablePicture: it has other sides, or other values.
        """
        if values.ndim == 3 and values.shape[2] == 1:
            values = values[..., 0]
        if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (2, 3, 4)) or not values.size:
            raise UnusablePicture(f"an array of {'×'.join(map(str, values.shape))}, which is no picture")
        if values.dtype.kind not in "iuf":
            raise UnusablePicture(f"an array of {values.dtype}, which is no picture")
        if values.dtype == np.uint8:
            return cls.of_image(Image.fromarray(values), note)
        size = (values.shape[1], values.shape[0])
        return cls(size, lambda top, bottom: values[top:bottom], True, note)

    @classmethod
    def of_bands(cls, values: Values) -> "Pixels":
        """An array H×W×C of any number of bands, none of which is alpha; bytes, or numbers of any range."""
        size = (values.shape[1], values.shape[0])
        return cls(size, lambda top, bottom: values[top:bottom], values.dtype != np.uint8)

    @classmethod
    def of_stack(cls, values: Values) -> "Pixels":
        """An array H×W×C or C×H×W; taken for the one whose bands are the shorter side until the network is known."""
        first = values.shape[0] < values.shape[2]
        return replace(cls.of_bands(np.moveaxis(values, 0, 2) if first else values), stack=values)

    def laid_out(self, channels: int) -> "Pixels":
        """The same with the bands of a stack where a network of so many channels has them."""
        if self.stack is None or self.bands == channels or channels not in self.stack.shape[::2]:
            return self
        first = self.stack.shape[0] == channels
        return replace(self.of_bands(np.moveaxis(self.stack, 0, 2) if first else self.stack), note=self.note)

    @property
    def bands(self) -> int:
        """How many numbers a pixel has, alpha among them."""
        return int(self.band_values(0, 1).shape[2])

    def band_values(self, top: int, bottom: int) -> Values:
        """The rows from one to before another as an array H×W×C, alpha and bands alike."""
        rows = self.rows(top, bottom)
        if isinstance(rows, Image.Image) and rows.mode not in BAND_MODES:
            rows = rows.convert("RGBA" if "transparency" in rows.info else "RGB")
        values = np.asarray(rows)
        return values[..., None] if values.ndim == 2 else values

    def strips(self) -> Iterator[tuple[int, int]]:
        """The rows, as many at a time as there may be in several forms at once."""
        return strips(self.size[0], 0, self.size[1])


def check_size(size: tuple[int, int], *, deep: bool = False) -> None:
    """Refuse what would take more memory than a picture should; readers call it before they decode one.

    Args:
        size: (width, height). deep: whether there are more than 8 bits a channel.
    """
    pixels, sides = size[0] * size[1], f"{size[0]}×{size[1]} pixels"
    if pixels > MOST_PIXELS:
        raise UnusablePicture(f"{sides}; at most {MOST_PIXELS // 10**6} million are read")
    if deep and pixels > MOST_DEEP:
        raise UnusablePicture(f"{sides}; at most {MOST_DEEP // 10**6} million of more than 8 bits a channel are read")


def strips(width: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Rows from `first` to before `last`, as many at a time as there may be in several forms at once."""
    step = max(1, AT_A_TIME // max(1, width))
    for top in range(first, last, step):
        yield top, min(top + step, last)
