"""Pictures of more than 8 bits a channel: their values, and how they become bytes."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from cnnvis_report.preprocessing import Levels

GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
BITS = (8, 10, 12, 14, 16, 24, 32)  # of sensors, and of the files that hold what they gave
NOMINAL = 16
AT_A_TIME = 1 << 20  # values that are turned into numbers of eight bytes
OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}

Values = npt.NDArray[np.generic]


def is_deep(opened: Image.Image) -> bool:
    """Whether a picture that isn't decoded yet has more than 8 bits a channel."""
    return opened.mode in GREY or (opened.mode in ("RGB", "RGBA") and _raw_mode(opened)[-3:] in OTHER_BYTE)


def deep_values(opened: Image.Image, reopen: Callable[[], Image.Image]) -> Values:
    """The values of a deep picture, upright: H×W, or H×W×3 or 4.

    Of colours Pillow keeps the upper byte alone; the lower one comes by reading the file once more, as if its numbers
    were stored the other way round.
    """
    if opened.mode in GREY:
        return np.asarray(ImageOps.exif_transpose(opened))
    with reopen() as again:
        tile = [_other_bytes(each) for each in getattr(again, "tile", [])]
        setattr(again, "tile", tile)  # noqa: B010 # not every image has one
        low = np.asarray(ImageOps.exif_transpose(again))
    high = np.asarray(ImageOps.exif_transpose(opened)).astype(np.uint16)
    np.left_shift(high, 8, out=high)
    np.bitwise_or(high, low, out=high)
    return high


def to_bytes(values: Values, levels: Levels) -> tuple[npt.NDArray[np.uint8], str]:
    """The values as bytes, and a sentence where a user has to know how they were read.

    Raises:
        ValueError: values that aren't finite.
    """
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("grey values that aren't finite")
    low, high, note = _ends(values, levels)
    made = np.empty(values.shape, np.uint8)
    step = max(1, AT_A_TIME // max(1, values[:1].size))
    for top in range(0, len(values), step):
        part = values[top : top + step].astype(np.float64)
        made[top : top + step] = np.clip(np.rint((part - low) * (255 / (high - low))), 0, 255)
    return made, note


def bits_of(values: Values) -> int | None:
    """How many bits hold the values; None where they aren't whole, or are below 0."""
    if values.dtype.kind not in "iu" or not values.size or values.min() < 0:
        return None
    return next(bits for bits in BITS if int(values.max()) < 1 << bits)


def _ends(values: Values, levels: Levels) -> tuple[float, float, str]:
    """The values that become 0 and 255, and what is to be said of them."""
    least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if levels.range is not None:
        return *levels.range, ""
    bits = bits_of(values)
    if bits is not None:
        high = (1 << (levels.bits or bits)) - 1
        if levels.bits and most > high:
            share = float(np.greater(values, high).mean())
            return 0.0, high, f"{share:.1%} of its values lie above {high} and are cut; it has up to {most:g}"
        stretched = levels.bits is None and bits != NOMINAL and most > 0
        return 0.0, high, f"read as {bits} bits, as its largest value is {most:g}" if stretched else ""
    if least >= 0:
        full = next((end for end in (1.0, 255.0, 65535.0) if most <= end), None)
        if full is not None:
            return 0.0, full, ""
    low = min(least, 0.0)
    return low, most if most > low else low + 1, f"read from {low:g} to {most:g}, its own range"


def _raw_mode(opened: Image.Image) -> str:
    """How the file stores its pixels, as Pillow calls it."""
    tile = getattr(opened, "tile", None)
    arguments: Any = tile[0][3] if tile else ""
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return raw if isinstance(raw, str) else ""


def _other_bytes(tile: Any) -> Any:
    """A part of a picture, read as if its numbers were stored the other way round; a plain tuple in older Pillows."""
    swapped = _swapped(tile[3])
    return tile._replace(args=swapped) if hasattr(tile, "_replace") else (*tile[:3], swapped)


def _swapped(arguments: Any) -> Any:
    """A decoder's arguments for the other byte of each number."""
    if isinstance(arguments, str):
        return arguments[:-3] + OTHER_BYTE.get(arguments[-3:], arguments[-3:])
    return (_swapped(arguments[0]), *arguments[1:])
