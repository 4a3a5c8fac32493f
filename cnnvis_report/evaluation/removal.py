"""What a score loses when parts of an image are removed, once for all maps of the image."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnvis_report.evaluation.metric import Scorer
from cnnvis_report.evaluation.pixel_order import stacked

SMALLEST_CHANGE = 1e-6  # of a score: less is rounding


@torch.no_grad()
def score_drops(
    image: Tensor, baseline: Tensor, removed: Tensor, target: int, score: Scorer, *, capacity: int
) -> Tensor:
    """How far the score of a class falls when parts of the image become those of a baseline.

    Args:
        image, baseline: [C, H, W], normalized.
        removed: [K, H, W], true where a pixel is removed.
        score: of every class, for images that it may work on in place.
        capacity: how many images are held and scored at once.

    Returns:
        [K] of f(x) - f(x without a part), float64 on the CPU; K + 1 images are scored.
    """
    whole = score(image[None].clone())[0, target]
    parts = torch.split(removed.to(image.device), capacity)
    left = [score(torch.where(part[:, None], baseline, image))[:, target] for part in parts]
    return (whole.double() - torch.cat(left).double()).cpu()


def sums_within(maps: Sequence[Tensor], removed: Tensor) -> Tensor:
    """[J, K] sums of J maps, brought to the image's size, over each of K parts [K, H, W]; float64."""
    values = stacked(maps, removed.shape[-2:]).flatten(1).double()
    return values @ removed.flatten(1).double().T


def blindness(drops: Tensor) -> str:
    """Why these drops tell nothing about any map; empty where they do."""
    return "The score stays the same, whatever is removed" if drops.abs().max() <= SMALLEST_CHANGE else ""
