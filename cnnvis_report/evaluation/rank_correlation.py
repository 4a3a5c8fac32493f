"""How far maps of one image agree on the order of its places."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.records.methods import Array

SIDE = 56  # fine enough for the maps of layers, coarse enough that single pixels don't decide

Exact = npt.NDArray[np.float64]


def spearman(first: Array, second: Array) -> float:
    """Rank correlation of two maps of one shape, -1..1; nan where one of them has a single value only.

    The Pearson correlation of the ranks; equal values share the mean of their ranks.
    """
    return float(_standard(first) @ _standard(second))


def agreement(maps: Sequence[Array], *, absolute: bool = False) -> Exact:
    """Rank correlations between J maps [h, w] of one image.

    All maps are brought to one grid: their largest height and width, 56 at most. Longer sides are averaged over areas,
    shorter ones upsampled (bilinear, align_corners=False).

    Args:
        maps: one value a position, of any sizes.
        absolute: whether magnitudes are compared, taken before maps are brought to the grid; values otherwise.

    Returns:
        [J, J] in -1..1, symmetric; nan in rows and columns of maps that have a single value only, 1 else on the
        diagonal.
    """
    if not maps:
        return np.empty((0, 0))
    height, width = (min(SIDE, max(values.shape[axis] for values in maps)) for axis in (0, 1))
    ranks = np.stack([_on_grid(np.abs(values) if absolute else values, (height, width)) for values in maps])
    return np.clip(ranks @ ranks.T, -1, 1)


def average_ranks(values: npt.NDArray[np.floating]) -> Exact:
    """[P] ranks of the values in ascending order, from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = counts.cumsum() - (counts - 1) / 2
    return np.asarray(means[inverse.ravel()], dtype=np.float64)


def _on_grid(values: Array, size: tuple[int, int]) -> Exact:
    return _standard(on_grid(torch.from_numpy(values), size).numpy())


def _standard(values: Array) -> Exact:
    """[P] ranks with mean 0 and norm 1, so that a product is a correlation; nan where all values are one."""
    ranks = average_ranks(values)
    ranks -= ranks.mean()
    norm = float(np.linalg.norm(ranks))
    return ranks / norm if norm > 0 else np.full_like(ranks, np.nan)
