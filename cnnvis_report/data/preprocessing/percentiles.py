"""Percentiles of a picture's values, a strip at a time where they are whole numbers of 16 bits."""

from collections.abc import Callable

import numpy as np

from cnnvis_report.data.pixels import Pixels, Values

COUNTED = 1 << 16  # values of 16 bits that there may be


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
