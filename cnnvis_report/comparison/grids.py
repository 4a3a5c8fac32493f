"""Maps at another size, with numpy alone: what `evaluation.resize` gives with torch."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Exact = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]


def averaged(values: Values, size: tuple[int, int]) -> Exact:
    """A map [h, w] on a grid that is no finer, averaged over the areas of adaptive average pooling."""
    return _resized(values, size, _averaging)


def upsampled(values: Values, size: tuple[int, int]) -> Exact:
    """A map [h, w] at another size: bilinear, align_corners=False, as the report shows it."""
    return _resized(values, size, _interpolating)


def _resized(values: Values, size: tuple[int, int], weights: Callable[[int, int], Exact]) -> Exact:
    exact = values.astype(np.float64)
    if values.shape[0] != size[0]:
        exact = weights(values.shape[0], size[0]) @ exact
    if values.shape[1] != size[1]:
        exact = exact @ weights(values.shape[1], size[1]).T
    return exact


@lru_cache(maxsize=64)
def _averaging(length: int, side: int) -> Exact:
    """[side, length]: which positions each area averages over; where sides don't divide, neighbors share some."""
    weights = np.zeros((side, length))
    for area in range(side):
        start, end = area * length // side, -(-(area + 1) * length // side)
        weights[area, start:end] = 1 / (end - start)
    return weights


@lru_cache(maxsize=64)
def _interpolating(length: int, side: int) -> Exact:
    """[side, length]: the two positions that each new one lies between, by their nearness."""
    centers = np.clip((np.arange(side) + 0.5) * length / side - 0.5, 0, length - 1)
    below = centers.astype(np.intp)
    weights = np.zeros((side, length))
    weights[np.arange(side), below] = 1 - (centers - below)
    weights[np.arange(side), np.minimum(below + 1, length - 1)] += centers - below
    return weights
