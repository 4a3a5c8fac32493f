"""Arrays grown and shrunk, in the very way of the page's scripts: a few taps along each side."""

from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating[Any]]
Taps = tuple[npt.NDArray[np.intp], Values]
SHARP = -0.5  # of the cubic kernel: Keys 1981, doi:10.1109/TASSP.1981.1163711, exact for polynomials of degree 2


class Growth(StrEnum):
    """What lies between the values of an array that is grown."""

    CUBIC = "cubic"
    NEAREST = "nearest"


def resize(values: Values, size: tuple[int, int], growth: Growth = Growth.CUBIC) -> Values:
    """Values [h, w] or [h, w, c] at another size: grown as `growth` says, or averaged where they get fewer."""
    lying = np.asarray(values, dtype=np.float32)
    for axis in (0, 1):
        if values.shape[axis] != size[axis]:
            lying = _resized(lying, _taps(values.shape[axis], size[axis], growth))
        lying = lying.swapaxes(0, 1)
    return np.ascontiguousarray(lying)


def _resized(values: Values, taps: Taps) -> Values:
    """The first axis at another length."""
    total: Values = np.zeros((taps[0].shape[1], *values.shape[1:]), dtype=np.float32)
    for columns, weights in zip(*taps, strict=True):
        total += values[columns] * weights.reshape(-1, *[1] * (values.ndim - 1))
    return total


@cache
def _taps(before: int, after: int, growth: Growth) -> Taps:
    """[taps, after] each: which of the old places each new one takes, and how much of them; weights sum to 1."""
    rows = np.arange(after)
    if after < before:
        edges = np.linspace(0, before, after + 1)
        columns = np.floor(edges[:-1]).astype(int) + np.arange(int(np.ceil(before / after)) + 1)[:, None]
        overlap = np.minimum(edges[1:], columns + 1) - np.maximum(edges[:-1], columns)
        weights = np.maximum(overlap, 0) * after / before
    elif growth is Growth.NEAREST:
        columns = ((rows + 0.5) * before / after).astype(int)[None]
        weights = np.ones(columns.shape)
    else:
        exact = (rows + 0.5) * before / after - 0.5
        columns = np.floor(exact).astype(int) + np.arange(-1, 3)[:, None]
        weights = _cubic(np.abs(exact - columns))
    return np.clip(columns, 0, before - 1), weights.astype(np.float32)  # beyond the edge is what is at the edge


def _cubic(distance: Values) -> Values:
    """The weight of a value by its distance, up to 2."""
    near = ((SHARP + 2) * distance - (SHARP + 3)) * distance**2 + 1
    far = SHARP * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
