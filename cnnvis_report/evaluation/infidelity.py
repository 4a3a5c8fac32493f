"""Infidelity: how badly a map's sums over parts of the image predict what the score loses without them."""

import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import baseline
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.evaluation.removal import blindness, score_drops, sums_within

SQUARES = 100  # perturbations of an image
SIDES = (1 / 8, 1 / 2)  # smallest and largest side of a square, relative to the image's shorter side


@metric(
    title="Infidelity",
    description="Share of the score's changes that the map doesn't predict while squares turn into the mean color",
    higher_is_better=False,
    source="Yeh et al. 2019, arXiv:1901.09392",
    passes=lambda *_: SQUARES + 1,
)
def infidelity(sample: MapsOfImage) -> Scores:
    """Relative infidelity of optimally scaled maps, over the same squares for all maps of an image."""
    height, width = sample.image.shape[1:]
    squares = random_squares((height, width), SQUARES, sample.generator())
    gray = baseline(sample.image, "mean", sample.black)
    drops = score_drops(sample.image, gray, squares, sample.target, sample.logits, capacity=sample.capacity)
    blind = blindness(drops)
    values = None if blind else relative_infidelities(sums_within(sample.tensors, squares), drops).tolist()
    return Scores(values or [None] * len(sample.maps), blind=blind)


def random_squares(size: tuple[int, int], count: int, generator: torch.Generator) -> Tensor:
    """[count, H, W], true on one square each, whose side and place within the image are drawn uniformly."""
    height, width = size
    smallest, largest = (max(1, round(share * min(size))) for share in SIDES)
    sides = torch.randint(smallest, largest + 1, (count,), generator=generator)
    corners = torch.rand(count, 2, generator=generator, dtype=torch.float64)
    top, left = ((corners[:, axis] * (length - sides + 1)).long() for axis, length in enumerate(size))
    rows, columns = torch.arange(height), torch.arange(width)
    down = (rows >= top[:, None]) & (rows < (top + sides)[:, None])
    across = (columns >= left[:, None]) & (columns < (left + sides)[:, None])
    return down[:, :, None] & across[:, None, :]


def infidelities(sums: Tensor, drops: Tensor) -> Tensor:
    """The mean squared error with which maps predict the drops of the score, in the score's unit squared.

    INFD = E[(I·phi - (f(x) - f(x - I)))²] over perturbations I.

    Args:
        sums: [J, K] of I·phi, map by map. drops: [K] of f(x) - f(x - I).

    Returns:
        [J], 0 for a map that predicts every drop.

    Source: Yeh et al. 2019, arXiv:1901.09392.
    """
    return (sums - drops).square().mean(dim=1)


def optimally_scaled(sums: Tensor, drops: Tensor) -> Tensor:
    """The sums [J, K] of maps, each multiplied by the factor that makes its infidelity smallest.

    beta = E[I·phi (f(x) - f(x - I))] / E[(I·phi)²], as in the code of the paper's authors, so that the unit of a map
    doesn't count. Here it is 0 where it would be negative: a map with the opposite sign would be as good otherwise.
    """
    factors = (sums * drops).mean(dim=1) / sums.square().mean(dim=1).clamp(min=torch.finfo(sums.dtype).tiny)
    return factors.clamp(min=0)[:, None] * sums


def relative_infidelities(sums: Tensor, drops: Tensor) -> Tensor:
    """[J] infidelities of optimally scaled maps as fractions of that of a map of zeros, E[(f(x) - f(x - I))²].

    From 0, where the maps' sums are proportional to the drops, to 1, where they predict nothing. One minus it is the
    squared cosine between sums and drops, where that is positive.
    """
    return infidelities(optimally_scaled(sums, drops), drops) / drops.square().mean()
