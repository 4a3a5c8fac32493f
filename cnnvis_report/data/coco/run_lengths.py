"""Areas as runs of pixels, column by column, as COCO has them: plain counts, or counts packed into a text."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.pixels import UnusablePicture

FIRST = 48  # the character that stands for 0
BITS, MORE, NEGATIVE = 5, 0x20, 0x10  # of a character: those that count, whether another follows, the sign in the last
MOST_CHARACTERS = 13  # of one count, which hold 64 bits


def pixels_of_runs(area: dict[str, Any], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The pixels of an area: runs of pixels outside and inside it in turn, down each column.

    Args:
        area: `size`, height and width, and `counts`, a list or a text. shape: height and width of the image.

    Raises:
        UnusablePicture: they aren't runs of an image of this size.
    """
    counts = area.get("counts")
    runs = unpacked(counts) if isinstance(counts, str) else counts
    height, width = shape
    whole = isinstance(runs, list) and all(isinstance(run, int) and run >= 0 for run in runs)
    if not isinstance(runs, list) or not whole or area.get("size") != [height, width] or sum(runs) != height * width:
        raise UnusablePicture("its annotation has runs that don't fill the image")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def unpacked(text: str) -> list[int]:
    """The counts in a text: 5 bits a character, the lowest first; from the fourth on, differences to the last but one.

    Raises:
        UnusablePicture: a count has no end.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for letter in text:
        code = ord(letter) - FIRST
        if not 0 <= code < 2 * MORE or shift >= BITS * MOST_CHARACTERS:
            raise UnusablePicture("its annotation has runs that can't be read")
        value |= (code & (MORE - 1)) << shift
        shift += BITS
        if code & MORE:
            continue
        if code & NEGATIVE:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise UnusablePicture("its annotation has runs that can't be read")
    return counts
