"""Average drop and increase: what becomes of a class's probability where only what a map shows stays visible."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import BASELINES
from cnnvis_report.evaluation.metric import MapsOfImage, Scorer, Scores, metric_family
from cnnvis_report.evaluation.pixel_order import stacked
from cnnvis_report.evaluation.score_range import PROBABILITY, range_to
from cnnvis_report.records.metrics import MetricInfo

SOURCE = "Chattopadhyay et al. 2018, arXiv:1710.11063"
AVERAGE_DROP = MetricInfo(
    name="average_drop",
    title="Average drop",
    description="Share of the class's probability that is lost where the image is multiplied by the map",
    higher_is_better=False,
    percent=True,
    source=SOURCE,
)
AVERAGE_INCREASE = MetricInfo(
    name="average_increase",
    title="Average increase",
    description="How often the class's probability is higher where the image is multiplied by the map",
    higher_is_better=True,
    percent=True,
    source=SOURCE,
)
SURE = 1 - 1e-6  # probability from which on none is higher but by rounding


@metric_family(AVERAGE_DROP, AVERAGE_INCREASE, quick=(), passes=lambda _, maps: maps + 3)
def average_drop_and_increase(sample: MapsOfImage) -> Mapping[str, Scores]:
    """Both from the same pass for each map; nothing for a regression, whose values are no probabilities.

    An image tells nothing if black, which is what a map of zeros leaves of it, scores nearly as high.
    """
    if not sample.meaning.has_probabilities:
        return {}
    whole, shown = shown_probabilities(
        sample.image, sample.tensors, sample.target, sample.probabilities, sample.black, capacity=sample.capacity
    )
    black = sample.black.to(sample.image).expand_as(sample.image)
    above_black, close = range_to(sample, black, BASELINES["black"], PROBABILITY)
    absent = close if whole > 0 else "The class's probability is 0"
    sure = absent or ("" if whole < SURE else "The class's probability is 1, and nothing can be higher")
    lost = drops(whole, shown).tolist() if whole > 0 else [None] * len(shown)
    return {
        AVERAGE_DROP.name: Scores(lost, range=above_black, blind=absent),
        AVERAGE_INCREASE.name: Scores(increases(whole, shown).tolist(), range=above_black, blind=sure),
    }


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
