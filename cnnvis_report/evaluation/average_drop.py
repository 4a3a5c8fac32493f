"""Average drop and increase: what becomes of a class's probability where only what a map shows stays visible."""

from collections.abc import Iterable

import torch
from torch import Tensor

from cnnvis_report.evaluation.metric import Scorer
from cnnvis_report.evaluation.pixel_order import stacked


@torch.no_grad()
def shown_probabilities(
    image: Tensor, maps: Iterable[Tensor], target: int, probability: Scorer, black: Tensor, *, capacity: int
) -> tuple[float, Tensor]:
    """The probability of a class for an image, and for the image multiplied by each of its maps.

    A map, brought to the image's size, is scaled to 0..1 by its least and its largest value; pixels turn black as far
    as it says. A map of one value shows nothing: the image is black.

    Args:
        image: [C, H, W], normalized.
        maps: J of this image, one value a position, each [h, w] of its own size.
        probability: of every class, for images that it may work on in place.
        black: [C, 1, 1], normalized.
        capacity: how many images are held and scored at once.

    Returns:
        The probability Y of the image, and O [J]; float64 on the CPU. J + 1 images are scored.
    """
    whole = float(probability(image[None].clone())[0, target])
    black = black.to(image)
    shares = torch.stack([_scaled(values) for values in stacked(maps, image.shape[-2:])]).to(image)
    parts = torch.split(shares, capacity)
    shown = [probability(black + part[:, None] * (image - black))[:, target] for part in parts]
    return whole, torch.cat(shown).double().cpu()


def drops(whole: float, shown: Tensor) -> Tensor:
    """[J] of max(0, Y - O) / Y: the part of the probability that is lost, 0..1.

    Source: Chattopadhyay et al. 2018, arXiv:1710.11063, average drop for one image.
    """
    return ((whole - shown) / whole).clamp(min=0)


def increases(whole: float, shown: Tensor) -> Tensor:
    """[J]: 1 where the probability is higher than that of the image, O > Y; else 0.

    Source: Chattopadhyay et al. 2018, arXiv:1710.11063, increase in confidence for one image.
    """
    return (shown > whole).double()


def _scaled(values: Tensor) -> Tensor:
    """The least value as 0, the largest as 1; zeros where all values are equal."""
    low, high = values.double().aminmax()
    return (values.double() - low) / (high - low) if high > low else torch.zeros_like(values, dtype=torch.float64)
