"""Sensitivity-n: do a map's sums over random sets of regions rise and fall with what the score loses without them?"""

import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import baseline
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.evaluation.removal import blindness, score_drops, sums_within

FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the regions, removed at once
SETS = 30  # of each size
ACROSS = 14  # regions along the shorter side


@metric(
    title="Sensitivity-n",
    description="Correlation of the map's sums over random sets of regions with the score's drop without them",
    higher_is_better=True,
    source="Ancona et al. 2018, arXiv:1711.06104",
    passes=lambda *_: len(FRACTIONS) * SETS + 1,
)
def sensitivity_n(sample: MapsOfImage) -> Scores:
    """The mean correlation over set sizes, over the same sets for all maps of an image."""
    height, width = sample.image.shape[1:]
    regions, sizes = random_regions((height, width), sample.generator())
    gray = baseline(sample.image, "mean", sample.black)
    drops = score_drops(sample.image, gray, regions, sample.target, sample.logits, capacity=sample.capacity)
    values = correlations(sums_within(sample.tensors, regions), drops, sizes)
    return Scores(values.tolist(), blind=blindness(drops))


def random_regions(size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sets of n regions, drawn without replacement, for each n.

    Regions are squares on a grid from the upper left corner, cut where the image ends; n is a fraction of their number,
    rounded, 1 at least and never all of them; an n that comes twice counts once.

    Args:
        size: [H, W] of the image.

    Returns:
        [K, H, W], true on the regions of a set; [K], n of each set.
    """
    side = max(1, round(min(size) / ACROSS))
    rows, columns = (-(-length // side) for length in size)
    regions = rows * columns
    counts = sorted({min(max(1, round(share * regions)), max(regions - 1, 1)) for share in FRACTIONS})
    sizes = torch.tensor(counts).repeat_interleave(SETS)
    order = torch.rand(len(sizes), regions, generator=generator).argsort(dim=1)
    chosen = torch.zeros_like(order, dtype=torch.bool).scatter_(1, order, torch.arange(regions) < sizes[:, None])
    grid = chosen.view(-1, rows, columns).repeat_interleave(side, 1).repeat_interleave(side, 2)
    return grid[:, : size[0], : size[1]], sizes


def correlations(sums: Tensor, drops: Tensor, sizes: Tensor) -> Tensor:
    """Pearson correlations of a map's sums with the drops of the score over sets of one size, averaged over sizes.

    Where the sums or the drops of a size are all equal, there is no correlation and it counts as 0.

    Args:
        sums: [J, K] over each set, map by map. drops: [K] of the score. sizes: [K], n of each set.

    Returns:
        [J] in -1..1.

    Source: Ancona et al. 2018, arXiv:1711.06104, for one image and averaged over n.
    """
    rows = [_pearson(sums[:, sizes == n], drops[sizes == n]) for n in sorted(set(sizes.tolist()))]
    return torch.stack(rows).mean(dim=0)


def _pearson(sums: Tensor, drops: Tensor) -> Tensor:
    return _standard(sums) @ _standard(drops[None])[0]


def _standard(values: Tensor) -> Tensor:
    """Rows with mean 0 and norm 1; zeros where a row varies by no more than its rounding."""
    centered = values - values.mean(dim=1, keepdim=True)
    norm = centered.norm(dim=1, keepdim=True)
    rounding = 1e-9 * values.norm(dim=1, keepdim=True)
    return torch.where(norm > rounding, centered / norm.clamp(min=torch.finfo(values.dtype).tiny), 0.0)
