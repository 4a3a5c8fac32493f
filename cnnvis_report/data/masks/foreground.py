"""What a picture that somebody calls a mask says is inside: white on black, opaque on nothing, colors on black."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.data.decoding.upright_picture import NOTE
from cnnvis_report.data.pixels import Pixels, UnusablePicture, Values, strips
from cnnvis_report.data.preprocessing.byte_scale import has_alpha

COLORED = 32  # what the channels of a pixel differ by, beyond what JPEG makes of gray; black is darker than it
VOID = (224, 224, 192)  # what Pascal VOC draws around objects, neither inside nor outside
MOST_COLORS = 64  # of a drawing, counted in steps of 32; a photograph has hundreds
MOST_LABELS = 32  # gray values of a map of labels; more are shades
INTERIOR = 0.05  # of the pixels that aren't 0: a larger share surrounded by their own gray value are areas, not edges
OPAQUE = 128
SHADES = 0.5  # of the pixels that aren't 0: soft edges have fewer between 0 and the largest value
LARGEST = 255
CUT_OUT = "is transparent in places: what is opaque is taken for inside"


def inside_of(pixels: Pixels) -> Image.Image:
    """Mode L: 255 inside and 0 outside, with what a user has to know of how it was read in its `info`.

    Gray masks are inside above half of their largest value, or, where they have areas of several labels, above 0. Of a
    picture that is transparent in places, what is opaque is inside; of a colored one, what isn't black.

    Raises:
        UnusablePicture: it doesn't say what is inside.
    """
    levels, kind = _levels_of_array(pixels) if pixels.deep else _levels_of_bytes(pixels)
    most_outside, shades = _most_outside(levels)
    inside = (levels > most_outside).view(np.uint8)
    inside *= LARGEST
    mask = Image.fromarray(inside)
    if kind or shades:
        mask.info[NOTE] = f"its mask {kind or shades}"
    return mask


def _levels_of_array(pixels: Pixels) -> tuple[Values, str]:
    """One number a pixel of a picture of more than 8 bits a channel, and how it was read."""
    values = np.asarray(pixels.rows(0, pixels.size[1]))
    if values.ndim == 2:
        return values, ""
    if not has_alpha(values):
        return values.max(axis=2), ""
    opacity = values[..., -1]
    if opacity.min() < opacity.max() / 2:
        return opacity, CUT_OUT
    return values[..., :-1].max(axis=2), ""


def _levels_of_bytes(pixels: Pixels) -> tuple[npt.NDArray[np.uint8], str]:
    """One number a pixel of a picture of 8 bits a channel, and how it was read."""
    opacity, colors, colored, black = _survey(pixels)
    cut_out = opacity[0] < OPAQUE <= opacity[1]
    levels = np.empty(pixels.size[::-1], dtype=np.uint8)
    if colored and not cut_out:
        if len(colors) > MOST_COLORS:
            raise UnusablePicture("its mask has the colors of a photograph: write one that is 0 outside and 255 inside")
        if not black:
            raise UnusablePicture("its mask is colored and nowhere black, which would be outside")
    for (top, bottom), rows in _strips(pixels):
        if cut_out:
            levels[top:bottom] = np.asarray(rows.getchannel("A"))
        elif colored:
            values = np.asarray(rows.convert("RGB"))
            levels[top:bottom] = LARGEST * ((values.max(axis=2) >= COLORED) & (values != VOID).any(axis=2))
        else:
            levels[top:bottom] = np.asarray(rows.convert("RGB").convert("L"))
    if cut_out:
        return levels, CUT_OUT
    return levels, "is colored: all that isn't black is taken for inside" if colored else ""


def _survey(pixels: Pixels) -> tuple[tuple[int, int], set[int], bool, bool]:
    """The least and the most opacity, the colors, whether they are more than gray, and whether one is black."""
    least, most, colors, spread, darkest = LARGEST, 0, set[int](), 0, LARGEST
    for _, rows in _strips(pixels):
        if rows.mode == "L":
            most, darkest = LARGEST, 0
            continue
        values = np.asarray(rows)
        low, high = values[..., :3].min(axis=2), values[..., :3].max(axis=2)
        spread, darkest = max(spread, int((high - low).max())), min(darkest, int(high.min()))
        alpha = values[..., 3] if rows.mode == "RGBA" else np.full(1, LARGEST, np.uint8)
        least, most = min(least, int(alpha.min())), max(most, int(alpha.max()))
        steps = (values[..., :3] // COLORED).astype(np.int64)
        colors.update(np.unique(steps @ np.array([64, 8, 1])).tolist())
    return (least, most), colors, spread >= COLORED, darkest < COLORED


def _strips(pixels: Pixels) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """Rows from one to before another, in mode L, RGB or RGBA."""
    for top, bottom in pixels.strips():
        rows = pixels.rows(top, bottom)
        picture = rows if isinstance(rows, Image.Image) else Image.fromarray(rows)
        if picture.mode not in ("L", "RGB", "RGBA"):
            clear = "A" in picture.getbands() or "transparency" in picture.info
            picture = picture.convert("RGBA" if clear else "L" if picture.mode == "1" else "RGB")
        yield (top, bottom), picture


def _most_outside(levels: Values) -> tuple[float, str]:
    """The largest value outside of a mask of gray values, and how it was read where that could be otherwise."""
    top = levels.max()
    if not np.isfinite(top):
        raise UnusablePicture("its mask has values that aren't finite")
    half = float(top) / 2  # some programs write 255 for what is inside, some 1
    parts = list(strips(levels.shape[1], 0, levels.shape[0]))
    interior = sum(_interior(levels[max(0, first - 1) : last + 1], top) for first, last in parts)
    between = sum(np.count_nonzero(_between(levels[first:last], top)) for first, last in parts)
    marked = np.count_nonzero(levels)
    if interior <= INTERIOR * marked and between <= SHADES * marked:
        return half, ""
    values = np.unique(levels)
    if len(values) > MOST_LABELS:
        return half, "has many shades of gray: what is above half of the lightest is taken for inside"
    if interior <= INTERIOR * marked:  # lines and dots alone, such as small soft objects are
        return half, ""
    listed = ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
    if values[0] != 0 or top == LARGEST:
        raise UnusablePicture(
            f"its mask has areas of {len(values)} values ({listed}), which leaves open what is inside: write one that "
            "is 0 outside and 255 inside"
        )
    return 0.0, f"has areas of {len(values) - 1} labels ({listed}): all but 0 is taken for inside"


def _interior(rows: Values, top: Any) -> int:
    """How many pixels between 0 and the largest value have four neighbors of their own: those of an edge have none.

    Args:
        rows: with one more above and below, whose pixels aren't counted.
    """
    center = rows[1:-1, 1:-1]
    same = _between(center, top)
    for neighbor in (rows[:-2, 1:-1], rows[2:, 1:-1], rows[1:-1, :-2], rows[1:-1, 2:]):
        same &= neighbor == center
    return int(np.count_nonzero(same))


def _between(rows: Values, top: Any) -> npt.NDArray[np.bool_]:
    """Which pixels are neither 0 nor the largest value."""
    return np.asarray((rows > 0) & (rows < top))
