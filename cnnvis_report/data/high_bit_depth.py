"""Pictures of more than 8 bits a channel: their values, and how they become bytes."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from cnnvis_report.data.formats import HEAD, channels_and_bits
from cnnvis_report.data.preprocessing import Levels

GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
BITS = (8, 10, 12, 14, 16, 24, 32)  # of sensors, and of the files that hold what they gave
NOMINAL = 16
AT_A_TIME = 1 << 20  # values that are turned into numbers of eight bytes
FULL = 65535
ALPHA_GREY = "LA;16B"  # of PNG; Pillow keeps the upper bytes alone
# tags of TIFF, and what they say
BITS_A_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
WHITE_IS_ZERO, UNSIGNED, SIGNED = 0, 1, 2
OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}

Values = npt.NDArray[np.generic]


def is_deep(opened: Image.Image) -> bool:
    """Whether a picture that isn't decoded yet has more than 8 bits a channel, or values below 0."""
    if opened.mode in GREY or _is_signed_byte(opened):
        return True
    return opened.mode in ("RGB", "RGBA", "LA") and _raw_mode(opened)[-3:] in OTHER_BYTE


def deep_values(opened: Image.Image, reopen: Callable[[], Image.Image]) -> Values:
    """The values of a deep picture, upright: H×W, or H×W×C with C of 2, 3 or 4, the last of 2 and of 4 the alpha.

    Of colors Pillow keeps the upper byte alone; the lower one comes by reading the file once more, as if its numbers
    were stored the other way round.
    """
    if _is_signed_byte(opened):
        return np.asarray(ImageOps.exif_transpose(opened)).view(np.int8)
    if opened.mode in GREY:
        raw = _raw_mode(opened)  # unknown once it is decoded
        return _as_stored(opened, raw, np.asarray(ImageOps.exif_transpose(opened)))
    if _raw_mode(opened) == ALPHA_GREY:
        return _gray_and_alpha(reopen)
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
    if _has_alpha(values):  # as opaque as it is, whatever range the colors are read by
        colors, note = to_bytes(without_alpha(values), levels)
        alpha = np.rint(values[..., -1:].astype(np.float64) * (255 / FULL)).astype(np.uint8)
        return np.concatenate([colors.reshape(*alpha.shape[:2], -1), alpha], axis=2), note
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("gray values that aren't finite")
    low, high, note = _ends(values, levels)
    made = np.empty(values.shape, np.uint8)
    step = max(1, AT_A_TIME // max(1, values[:1].size))
    for top in range(0, len(values), step):
        part = values[top : top + step].astype(np.float64)
        made[top : top + step] = np.clip(np.rint((part - low) * (255 / (high - low))), 0, 255)
    return made, note


def without_alpha(values: Values) -> Values:
    """The colors, or the gray, alone."""
    return values[..., :-1] if _has_alpha(values) else values


def transparent(opened: Image.Image, values: Values) -> npt.NDArray[np.bool_] | None:
    """Where the one color lies that a PNG calls transparent; None where it calls none so."""
    color = opened.info.get("transparency")
    if isinstance(color, int) and values.ndim == 2:
        return np.asarray(values == color)
    if isinstance(color, tuple) and values.ndim == 3 and values.shape[2] == len(color):
        return np.asarray((values == np.array(color)).all(axis=2))
    return None


def left_aside(opened: Image.Image) -> str:
    """What a file has more than the picture that is read of it, in words; empty where all is read."""
    raw = _raw_mode(opened)
    extra = 0 if opened.format != "TIFF" else len(raw.partition(";")[0]) - len(raw.partition(";")[0].rstrip("X"))
    if extra:
        known = len(opened.getbands())
        first = "the first is" if known == 1 else f"the first {known} are"
        return f"of its {known + extra} channels {first} read"
    bits = 16 if opened.mode == "CMYK" and raw[-3:] in OTHER_BYTE else 0
    file = getattr(opened, "fp", None)
    if opened.format == "JPEG2000" and opened.mode in ("RGB", "RGBA", "LA") and file is not None:
        place = file.tell()
        file.seek(0)
        bits = channels_and_bits(file.read(HEAD))[1]
        file.seek(place)
    return f"of its {bits} bits a channel the upper 8 are read" if bits > 8 else ""


def _has_alpha(values: Values) -> bool:
    return values.ndim == 3 and values.shape[2] in (2, 4)


def _is_signed_byte(opened: Image.Image) -> bool:
    return opened.mode == "L" and _raw_mode(opened) == "L" and _tag(opened, SAMPLE_FORMAT) == SIGNED


def _as_stored(opened: Image.Image, raw: str, values: Values) -> Values:
    """Unsigned where Pillow has taken 32 bits for signed, and with black for 0 where a TIFF has white there."""
    if raw.startswith("I;32") and _tag(opened, SAMPLE_FORMAT) in (None, UNSIGNED):
        values = values.view(np.uint32)
    if _tag(opened, PHOTOMETRIC) == WHITE_IS_ZERO and values.dtype.kind == "u":
        bits = _tag(opened, BITS_A_SAMPLE) or 8 * values.itemsize
        values = ((1 << bits) - 1 - values.astype(np.int64)).astype(values.dtype)
    return values


def _gray_and_alpha(reopen: Callable[[], Image.Image]) -> Values:
    """Of four bytes a pixel, as if they were four channels of one byte."""
    with reopen() as again:
        setattr(again, "_mode", "RGBA")  # noqa: B010 # older Pillows call these pixels gray and alpha
        tile = [
            each._replace(args="RGBA") if hasattr(each, "_replace") else (*each[:3], "RGBA")
            for each in getattr(again, "tile", [])
        ]
        setattr(again, "tile", tile)  # noqa: B010
        stored = np.asarray(ImageOps.exif_transpose(again)).astype(np.uint16)
    values: Values = np.bitwise_or(np.left_shift(stored[..., 0::2], 8), stored[..., 1::2])
    return values


def _tag(opened: Image.Image, number: int) -> int | None:
    """The first value of a TIFF's tag; None where there is none."""
    found = getattr(opened, "tag_v2", {}).get(number)
    first = found[0] if isinstance(found, tuple) and found else found
    return first if isinstance(first, int) else None


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
