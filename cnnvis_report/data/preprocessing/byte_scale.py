"""Which values of more than 8 bits are black and white, and what lies between them: bytes, or shares in 0…1."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.pixels import Pixels, UnusablePicture, Values, Window
from cnnvis_report.data.preprocessing.preprocessing import Levels

BITS = (8, 10, 12, 14, 16, 24, 32)  # of sensors, and of the files that hold what they gave
NOMINAL = 16
FULL = 65535
COUNTED = 1 << 16  # values of 16 bits that there may be


@dataclass(frozen=True)
class ByteScale:
    """The values that become 0 and 1, or 255 of bytes, what a user has to know of them, and who says them.

    inverted: whether `low` becomes 1. curve: what maps values to 0…1, where they don't lie on a line between the two.
    """

    low: float
    high: float
    note: str = ""
    inverted: bool = False
    curve: Callable[[Values], Values] | None = None
    said_by: str = ""

    @property
    def reading(self) -> str:
        """Which values are black and white, and who says so, for the image's page."""
        black, white = ("white", "black") if self.inverted else ("black", "white")
        ends = f"values from {self.low:.6g} ({black}) to {self.high:.6g} ({white})"
        return f"{ends}, {self.said_by}" if self.said_by else ends

    def to_shares(self, values: Values) -> npt.NDArray[np.float64]:
        """The values in 0…1, cut at both ends; NaN where the ends are too far apart for double precision."""
        numbers = values.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            shares = self.curve(numbers) if self.curve is not None else (numbers - self.low) / (self.high - self.low)
        shares = np.clip(shares, 0, 1)
        return 1 - shares if self.inverted else shares

    def to_bytes(self, values: Values) -> npt.NDArray[np.uint8]:
        """The values as bytes, cut at both ends; alpha is as opaque as it is, whatever range the colors have."""
        colors = without_alpha(values).astype(np.float64)
        if self.curve is not None:
            colors = self.curve(colors) * 255
        else:
            colors = (colors - self.low) * (255 / (self.high - self.low))
        scaled = np.clip(np.rint(colors), 0, 255).astype(np.uint8)
        scaled = 255 - scaled if self.inverted else scaled
        if not has_alpha(values):
            return scaled
        alpha = np.rint(values[..., -1:].astype(np.float64) * (255 / FULL)).astype(np.uint8)
        return np.concatenate([scaled.reshape(*alpha.shape[:2], -1), alpha], axis=2)


@dataclass(frozen=True)
class Spread:
    """The smallest and the largest value, whether all of them are whole, and whether the file brings a window."""

    least: float
    most: float
    whole: bool
    windowed: bool = False

    @property
    def bits(self) -> int | None:
        """How many bits hold the values; None where they aren't whole, or are below 0."""
        if not self.whole or self.least < 0:
            return None
        return next((bits for bits in BITS if self.most < 1 << bits), None)


def spread_of(pixels: Pixels, *, alpha: bool = True) -> Spread:
    """The ends of all values but the alpha's.

    Args:
        alpha: whether the last of 2 or 4 channels is alpha; else it is a band like the others.

    Raises:
        UnusablePicture: some aren't finite.
    """
    ends, whole = [], True
    for top, bottom in pixels.strips():
        values = _values(pixels, top, bottom, alpha)
        if values.dtype.kind == "f":
            whole = False
            if not np.isfinite(values).all():
                raise UnusablePicture(f"{'gray values' if alpha else 'values'} that aren't finite")
        ends += [values.min().item(), values.max().item()]
    return Spread(min(ends), max(ends), whole, pixels.window is not None)


def byte_scale(pixels: Pixels, levels: Levels, *, alpha: bool = True) -> ByteScale:
    """Which values of a picture are black and white.

    Args:
        alpha: as of `spread_of`.

    Raises:
        UnusablePicture: it has values that aren't finite.
    """
    spread = spread_of(pixels, alpha=alpha)
    if levels.range is not None:
        return ByteScale(*levels.range, inverted=pixels.inverted, said_by="the range that was given")
    if levels.percentiles is not None:
        return _of_percentiles(pixels, levels.percentiles, alpha)
    if pixels.window is not None and levels.windows:
        return _of_window(pixels.window, pixels.inverted)
    scale = _of_bits(pixels, levels, spread, alpha)
    said_by = "its own range" if spread.bits is None else f"{round(math.log2(scale.high + 1))} bits"
    return replace(scale, inverted=pixels.inverted, said_by=said_by)


def _of_percentiles(pixels: Pixels, wanted: tuple[float, float], alpha: bool) -> ByteScale:
    low, high = percentiles(pixels, wanted, lambda values: without_alpha(values) if alpha else values)
    said_by = f"its percentiles {wanted[0]:g} and {wanted[1]:g}"
    return ByteScale(low, high if high > low else low + 1, inverted=pixels.inverted, said_by=said_by)


def _of_window(window: Window, inverted: bool) -> ByteScale:
    return ByteScale(window.low, window.high, "", inverted, window.curve, window.title)


def _of_bits(pixels: Pixels, levels: Levels, spread: Spread, alpha: bool) -> ByteScale:
    """The fewest bits that hold whole values; of others the range that is usual for them, or their own."""
    if spread.bits is not None:
        high = (1 << (levels.bits or spread.bits)) - 1
        if levels.bits and spread.most > high:
            share = _share_above(pixels, high, alpha)
            note = f"{share:.1%} of its values lie above {high} and are cut; it has up to {float(spread.most):g}"
            return ByteScale(0.0, high, note)
        stretched = levels.bits is None and spread.bits != NOMINAL and spread.most > 0
        note = f"read as {spread.bits} bits, as its largest value is {float(spread.most):g}" if stretched else ""
        return ByteScale(0.0, high, note)
    least, most = float(spread.least), float(spread.most)
    if least >= 0:
        full = next((end for end in (1.0, 255.0, 65535.0) if most <= end), None)
        if full is not None:
            return ByteScale(0.0, full)
    low = min(least, 0.0)
    return ByteScale(low, most if most > low else low + 1, f"read from {low:g} to {most:g}, its own range")


def finite(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The values, where single precision holds all of them.

    Raises:
        UnusablePicture: it doesn't.
    """
    if not np.isfinite(values).all():
        raise UnusablePicture("values that are too large for single precision")
    return values


def has_alpha(values: Values) -> bool:
    """Whether the last channel says how opaque a pixel is."""
    return values.ndim == 3 and values.shape[2] in (2, 4)


def without_alpha(values: Values) -> Values:
    """The colors, or the gray, alone."""
    return values[..., :-1] if has_alpha(values) else values


def _values(pixels: Pixels, top: int, bottom: int, alpha: bool) -> Values:
    return without_alpha(np.asarray(pixels.rows(top, bottom))) if alpha else pixels.band_values(top, bottom)


def _share_above(pixels: Pixels, high: float, alpha: bool) -> float:
    above = count = 0
    for top, bottom in pixels.strips():
        values = _values(pixels, top, bottom, alpha)
        above += int(np.greater(values, high).sum())
        count += values.size
    return above / count


def percentiles(pixels: Pixels, wanted: tuple[float, float], part: Callable[[Values], Values]) -> tuple[float, float]:
    """Two percentiles of all values, between the two nearest where none is there, as `numpy.percentile` has them.

    Args:
        wanted: from 0 to 100. part: what counts of an array H×W×C, or H×W.
    """
    strips = (part(np.asarray(pixels.rows(top, bottom))) for top, bottom in pixels.strips())
    first = next(strips)
    if first.dtype.kind in "iu" and first.dtype.itemsize <= 2:
        least = np.iinfo(first.dtype).min
        counts = np.bincount(first.ravel().astype(np.int64) - least, minlength=COUNTED)
        for values in strips:
            counts += np.bincount(values.ravel().astype(np.int64) - least, minlength=COUNTED)
        low, high = (_of_counts(counts, share) + least for share in wanted)
        return low, high
    values = np.concatenate([first.ravel(), *(values.ravel() for values in strips)]).astype(np.float64)
    low, high = np.percentile(values, wanted, overwrite_input=True)
    return float(low), float(high)


def _of_counts(counts: Values, share: float) -> float:
    """A percentile of values of which it is known how often each is there."""
    up_to = np.cumsum(counts)
    position = share / 100 * (int(up_to[-1]) - 1)
    below = int(position)
    low = int(np.searchsorted(up_to, below, side="right"))
    high = int(np.searchsorted(up_to, min(below + 1, int(up_to[-1]) - 1), side="right"))
    return low + (high - low) * (position - below)
