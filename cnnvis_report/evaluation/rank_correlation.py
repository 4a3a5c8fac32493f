"""How far maps of one image agree on the order of its places."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.evidence.ranks import standard_ranks
from cnnvis_report.records.methods import Array

SIDE = 56  # fine enough for the maps of layers, coarse enough that single pixels don't decide

Exact = npt.NDArray[np.float64]


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


def _on_grid(values: Array, size: tuple[int, int]) -> Exact:
    return standard_ranks(on_grid(torch.from_numpy(values), size).numpy())
