"""Arrays grown and shrunk, in the very way of the page's scripts: two matrices, one for each side."""

from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating[Any]]
SHARP = -0.5  # of the cubic kernel: Keys 1981, doi:10.1109/TASSP.1981.1163711, exact for polynomials of degree 2


class Growth(StrEnum):
    """What lies between the values of an array that is grown."""

    CUBIC = "cubic"
    NEAREST = "nearest"


def resize(values: Values, size: tuple[int, int], growth: Growth = Growth.CUBIC) -> Values:
    """Values [h, w] or [h, w, c] at another size: grown as `growth` says, or averaged where they get fewer."""
    down, across = (_matrix(values.shape[axis], size[axis], growth) for axis in (0, 1))
    wide = np.tensordot(across, values, axes=(1, 1)).swapaxes(0, 1)
    return np.tensordot(down, wide, axes=(1, 0))


@cache
def _matrix(before: int, after: int, growth: Growth) -> Values:
    """[after, before]: what each new place takes of the old ones; the rows sum to 1."""
    matrix = np.zeros((after, before))
    rows = np.arange(after)
    if after < before:
        edges = np.linspace(0, before, after + 1)
        cells = np.arange(before)
        overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
        return np.asarray(np.maximum(overlap, 0) * after / before)
    if growth is Growth.NEAREST:
        matrix[rows, ((rows + 0.5) * before / after).astype(int)] = 1
        return matrix
    exact = (rows + 0.5) * before / after - 0.5
    first = np.floor(exact).astype(int)
    for tap in range(-1, 3):
        columns = np.clip(first + tap, 0, before - 1)  # beyond the edge is what is at the edge
        np.add.at(matrix, (rows, columns), _cubic(np.abs(exact - first - tap)))
    return matrix


def _cubic(distance: Values) -> Values:
    """The weight of a value by its distance, up to 2."""
    near = ((SHARP + 2) * distance - (SHARP + 3)) * distance**2 + 1
    far = SHARP * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
