"""Pictures of more than 8 bits a channel: all their bits, of which Pillow gives the upper eight alone in colors."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from cnnvis_report.data.decoding.orientation import stored_turn, upright_rows, upright_size
from cnnvis_report.data.formats import HEAD, channels_and_bits
from cnnvis_report.data.pixels import Pixels, Values

GRAY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
ALPHA_GRAY = "LA;16B"  # of PNG; Pillow keeps the upper bytes alone
# tags of TIFF, and what they say
BITS_A_SAMPLE, PHOTOMETRIC, PLANAR_CONFIGURATION, SAMPLE_FORMAT = 258, 262, 284, 339
SEPARATE = 2
WHITE_IS_ZERO, UNSIGNED, SIGNED = 0, 1, 2
OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


def is_deep(opened: Image.Image) -> bool:
    """Whether a picture that isn't decoded yet has more than 8 bits a channel, or values below 0."""
    if opened.mode in GRAY or _is_signed_byte(opened):
        return True
    return opened.mode in ("RGB", "RGBA", "LA") and _raw_mode(opened)[-3:] in OTHER_BYTE


def is_deep_planar(opened: Image.Image) -> bool:
    """Whether a TIFF has its colors one after the other, of which Pillow gives the upper bytes alone."""
    planar = opened.mode in ("RGB", "RGBA") and _tag(opened, PLANAR_CONFIGURATION) == SEPARATE
    return planar and (_tag(opened, BITS_A_SAMPLE) or 8) > 8


def deep_pixels(opened: Image.Image, reopen: Callable[[], Image.Image], note: str) -> Pixels:
    """All bits of a deep picture.

    Of colors Pillow keeps the upper byte alone; the lower one comes by reading the file once more, as if its numbers
    were stored the other way round.
    """
    color = opened.info.get("transparency")
    raw, signed = _raw_mode(opened), _is_signed_byte(opened)  # unknown once it is decoded
    if raw == ALPHA_GRAY:
        with reopen() as four_bytes:
            _read_as_four_bytes(four_bytes)
            return _upright(four_bytes, _gray_and_alpha, note, color)
    if signed:
        return _upright(opened, lambda values: values.view(np.int8), note, color)
    if opened.mode in GRAY:
        return _upright(opened, lambda values: _as_stored(opened, raw, values), note, color)
    with reopen() as again:
        tile = [_other_bytes(part) for part in getattr(again, "tile", [])]
        setattr(again, "tile", tile)  # noqa: B010 # not every image has one
        lower = _upright(again, lambda values: values, "", None)
    upper = _upright(opened, lambda values: values.astype(np.uint16), note, color)

    def rows(top: int, bottom: int) -> Values:
        values: Values = np.asarray(upper.rows(top, bottom))
        np.left_shift(values, 8, out=values)
        np.bitwise_or(values, np.asarray(lower.rows(top, bottom)), out=values)
        return values

    return Pixels(upper.size, rows, True, note, upper.transparent)


def left_aside(opened: Image.Image) -> str:
    """What a file has more than the picture that is read of it, in words; empty where all is read."""
    raw = _raw_mode(opened)
    extra = 0 if opened.format != "TIFF" else len(raw.partition(";")[0]) - len(raw.partition(";")[0].rstrip("X"))
    if extra:
        known = len(opened.getbands())
        first = "the first is" if known == 1 else f"the first {known} are"
        return f"of its {known + extra} channels {first} read"
    bits = 16 if is_deep_planar(opened) or (opened.mode == "CMYK" and raw[-3:] in OTHER_BYTE) else 0
    file = getattr(opened, "fp", None)
    if opened.format == "JPEG2000" and opened.mode in ("RGB", "RGBA", "LA") and file is not None:
        position = file.tell()
        file.seek(0)
        bits = channels_and_bits(file.read(HEAD))[1]
        file.seek(position)
    return f"of its {bits} bits a channel the upper 8 are read" if bits > 8 else ""


def _upright(opened: Image.Image, values_of: Callable[[Values], Values], note: str, color: Any) -> Pixels:
    """The values of a decoded picture."""
    opened.load()
    transpose = stored_turn(opened)

    def rows(top: int, bottom: int) -> Values:
        return values_of(np.asarray(upright_rows(opened, transpose, top, bottom)))

    return Pixels(upright_size(opened, transpose), rows, True, note, color if isinstance(color, int | tuple) else None)


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


def _read_as_four_bytes(opened: Image.Image) -> None:
    """Have gray and alpha of two bytes each decoded as four channels of one byte."""
    setattr(opened, "_mode", "RGBA")  # noqa: B010 # older Pillows call these pixels gray and alpha
    tile = [
        part._replace(args="RGBA") if hasattr(part, "_replace") else (*part[:3], "RGBA")
        for part in getattr(opened, "tile", [])
    ]
    setattr(opened, "tile", tile)  # noqa: B010


def _gray_and_alpha(stored: Values) -> Values:
    values: Values = stored.astype(np.uint16)
    return np.bitwise_or(np.left_shift(values[..., 0::2], 8), values[..., 1::2])


def _tag(opened: Image.Image, number: int) -> int | None:
    """The first value of a TIFF's tag; None where there is none."""
    value = getattr(opened, "tag_v2", {}).get(number)
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else None


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
