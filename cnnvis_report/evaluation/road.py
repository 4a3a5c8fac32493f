"""ROAD: how a class's score falls when the pixels that a map calls important are imputed from their neighbors."""

import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import BASELINES, baseline
from cnnvis_report.evaluation.linear_imputation import NOISE, impute
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.evaluation.pixel_order import pixel_orders
from cnnvis_report.evaluation.score_range import PROBABILITY, range_to

PERCENTAGES = (10, 20, 30, 40, 50, 70, 90)  # of the pixels, as in the authors' experiments


@metric(
    title="ROAD",
    description="The class's probability after the map's largest 10% to 90% of pixels are imputed from their neighbors",
    higher_is_better=False,
    source="Rong et al. 2022, arXiv:2202.00449",
    passes=lambda _, maps: maps * len(PERCENTAGES) + 2,
)
def road(sample: MapsOfImage) -> Scores:
    """The mean over the percentages, most relevant pixels first; of a regression, the mean of the value.

    An image tells nothing if its mean color, which is what remains without any pixel, scores nearly as high.
    """
    orders, of_map = pixel_orders(sample.tensors, sample.image.shape[1:], sample.seed)
    noise = NOISE * torch.randn(sample.image.shape, generator=sample.generator(), dtype=sample.image.dtype)
    rows = [_curve(sample, order, noise.to(sample.image)) for order in orders]
    curves = [None if number is None else rows[number].tolist() for number in of_map]
    values = [None if curve is None else sum(curve) / len(curve) for curve in curves]
    gray = baseline(sample.image, "mean", sample.black)
    return Scores(values, curves, *range_to(sample, gray, BASELINES["mean"], PROBABILITY))


@torch.no_grad()
def _curve(sample: MapsOfImage, order: Tensor, noise: Tensor) -> Tensor:
    """[percentages]: the score of the class without the first pixels of an order [H, W]."""
    counts = torch.tensor([order.numel() * percentage // 100 for percentage in PERCENTAGES])
    removed = (order < counts[:, None, None]).to(sample.image.device)
    parts = [impute(sample.image, part, noise) for part in torch.split(removed, sample.capacity)]
    return torch.cat([sample.probabilities(part)[:, sample.target] for part in parts])
