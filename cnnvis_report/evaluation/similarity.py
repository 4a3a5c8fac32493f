"""How alike maps of one image are: rank correlations and structural similarity."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.evidence.ranks import spearman, standard_ranks
from cnnvis_report.records.methods import Array

SIMILARITIES = {  # in words
    "spearman": "rank correlation",
    "absolute": "rank correlation of the magnitudes",
    "ssim": "structural similarity of the magnitudes",
}
SIDE = 56  # fine enough for the maps of layers, coarse enough that single pixels don't decide

Exact = npt.NDArray[np.float64]
WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03


def map_similarities(first: Array, second: Array) -> dict[str, float] | None:
    """The SIMILARITIES of two maps [h, w], each brought to 56×56; None where one of them is of a single value.

    Source: Adebayo et al. 2018, arXiv:1810.03292, which compares maps in these ways.
    """
    a, b = _small(first), _small(second)
    numbers = (spearman(a, b), spearman(np.abs(a), np.abs(b)), ssim(np.abs(a), np.abs(b)))
    return dict(zip(SIMILARITIES, numbers, strict=True)) if all(map(np.isfinite, numbers)) else None


def _small(values: Array) -> Array:
    return np.asarray(on_grid(torch.from_numpy(values), (SIDE, SIDE)).numpy(), dtype=np.float32)


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


def ssim(first: Array, second: Array) -> float:
    """Structural similarity of two maps, 1 for equal ones.

    Each map is divided by its largest magnitude, which keeps zero and signs; L is the joint range of both after that.
    The mean over all whole windows (Gaussian, 11×11, sigma 1.5) of

    (2 m_a m_b + C1) (2 s_ab + C2) / ((m_a² + m_b² + C1) (s_a² + s_b² + C2)), C1 = (0.01 L)², C2 = (0.03 L)²

    m, s², s_ab: mean, variance and covariance in the window. Two maps of one and the same single value give 1.
    A map and its negative score above 0 where their means are opposite too: compare magnitudes beside signed values.

    Args:
        first, second: [H, W], 11×11 at least. It depends on the size, so maps of layers are better compared at the
            image's.

    Raises:
        BadRequest: the maps differ in shape or are smaller than a window.

    Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861, eq. 13 to 17.
    """
    if first.shape != second.shape or min(first.shape) < WINDOW:
        sizes = " and ".join("×".join(map(str, values.shape)) for values in (first, second))
        raise BadRequest(f"SSIM needs two maps of one size, {WINDOW}×{WINDOW} at least, not {sizes}.")
    a, b = _scaled(first), _scaled(second)
    spread = max(a.max(), b.max()) - min(a.min(), b.min())
    if spread == 0:
        return 1.0
    c1, c2 = (K1 * spread) ** 2, (K2 * spread) ** 2
    mean_a, mean_b = _local_means(torch.stack([a, b]))
    # second moments about the maps' own means: squares of values that hardly vary would hold nothing else
    a, b = a - a.mean(), b - b.mean()
    near_a, near_b, square_a, square_b, product = _local_means(torch.stack([a, b, a * a, b * b, a * b]))
    covariance = product - near_a * near_b
    variances = (square_a - near_a**2) + (square_b - near_b**2)
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def _scaled(values: Array) -> Tensor:
    """In float64, the largest magnitude 1; a map of zeros stays one."""
    exact = torch.from_numpy(values.astype(np.float64))
    return exact / (exact.abs().max() or 1.0)


def _local_means(maps: Tensor) -> Tensor:
    """[n, H - 10, W - 10] means of [n, H, W] under the Gaussian window."""
    offsets = torch.arange(WINDOW, dtype=maps.dtype) - WINDOW // 2
    weights = (-(offsets**2) / (2 * SIGMA**2)).exp()
    weights /= weights.sum()
    columns = conv2d(maps[:, None], weights.view(1, 1, -1, 1))
    return conv2d(columns, weights.view(1, 1, 1, -1))[:, 0]
