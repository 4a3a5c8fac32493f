"""ROAD: how a class's score falls when the pixels that a map calls important are imputed from their neighbors."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, max_pool2d, pad

from cnnvis_report.evaluation.baselines import BASELINES, baseline
from cnnvis_report.evaluation.metric import MapsOfImage, Scores, metric
from cnnvis_report.evaluation.pixel_order import pixel_orders
from cnnvis_report.evaluation.score_range import PROBABILITY, range_to

PERCENTAGES = (10, 20, 30, 40, 50, 70, 90)  # of the pixels, as in the authors' experiments
BESIDE, DIAGONAL = 1 / 6, 1 / 12
NOISE = 0.01  # standard deviation, in the unit of normalized images
COARSEST = 4  # pixels of a side
MOST_ROUNDS = 200


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


def impute(image: Tensor, removed: Tensor, noise: Tensor | None = None, tolerance: float = 1e-5) -> Tensor:
    """The image without the removed pixels, which are imputed from the others.

    Args:
        image: [C, H, W].
        removed: [B, H, W], true where a pixel is removed. Where all are, they become the mean color.
        noise: [C, H, W], what is added to imputed pixels; none where None.
        tolerance: of the residual, as a share of the right-hand side.

    Returns:
        [B, C, H, W].

    Source: Rong et al. 2022, arXiv:2202.00449, section 5.
    """
    unknown = removed[:, None].to(image)
    known = image * (1 - unknown)
    solved = _solve(unknown.expand_as(known), unknown * neighbors(known), tolerance)
    nothing_left = removed.flatten(1).all(dim=1)[:, None, None, None]
    solved = torch.where(nothing_left, image.mean((1, 2), keepdim=True), solved)
    return known + unknown * (solved if noise is None else solved + noise)


def neighbors(values: Tensor) -> Tensor:
    """[..., H, W]: the weighted sum over the neighbors of each position; there are none beyond the edge."""
    framed = pad(values, (1, 1, 1, 1))
    rows = framed[..., :-2, :] + framed[..., 2:, :]
    beside = rows[..., 1:-1] + framed[..., 1:-1, :-2] + framed[..., 1:-1, 2:]
    return BESIDE * beside + DIAGONAL * (rows[..., :-2] + rows[..., 2:])


def _solve(unknown: Tensor, right: Tensor, tolerance: float) -> Tensor:
    """[B, C, H, W]: x with weights(p)·x(p) - neighbors(x)(p) = right(p) at the unknown pixels p, and 0 elsewhere.

    The matrix is symmetric and positive definite, so conjugate gradients find x.
    """
    levels = _levels(unknown)
    x = torch.zeros_like(right)
    residual = right.clone()
    goal = tolerance * _norm(right)
    direction, last = torch.zeros_like(right), torch.ones_like(goal)
    for _ in range(MOST_ROUNDS):
        if bool((_norm(residual) <= goal).all()):
            break
        better = _cycle(levels, residual)
        product = (residual * better).sum((2, 3), keepdim=True)
        direction = better + _ratio(product, last) * direction
        applied = _applied(*levels[0], direction)
        step = _ratio(product, (direction * applied).sum((2, 3), keepdim=True))
        x, residual, last = x + step * direction, residual - step * applied, product
    return x


def _levels(unknown: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The unknown pixels and the sums of their neighbors' weights, on grids each of half the size of the last."""
    levels = []
    while True:
        levels.append((unknown, neighbors(torch.ones_like(unknown[:1, :1]))))
        if min(unknown.shape[2:]) <= COARSEST:
            return levels
        unknown = 1 - max_pool2d(
            1 - unknown, 2, ceil_mode=True
        )  # a known pixel holds all of its cell  # what is known in part holds its neighbors


def _applied(unknown: Tensor, weights: Tensor, x: Tensor) -> Tensor:
    return unknown * (weights * x - neighbors(x))


def _cycle(levels: list[tuple[Tensor, Tensor]], right: Tensor) -> Tensor:
    """A solution to start from: Jacobi sweeps here, and on coarser grids what they can't reach."""
    unknown, weights = levels[0]
    inverse = unknown / weights
    x = inverse * right
    if len(levels) == 1:
        for _ in range(2 * COARSEST):
            x = x + inverse * (right - _applied(unknown, weights, x))
        return x
    coarse = levels[1][0] * _restricted(right - _applied(unknown, weights, x))
    x = x + unknown * _prolonged(_cycle(levels[1:], coarse), x)
    return x + inverse * (right - _applied(unknown, weights, x))


def _kernel(like: Tensor) -> Tensor:
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]).to(like) / 4
    return torch.outer(line, line)[None, None]


def _restricted(values: Tensor) -> Tensor:
    """[B, C, ⌈H/2⌉, ⌈W/2⌉]: the transpose of `_prolonged`; an even plane of ones becomes fours."""
    height, width = values.shape[2:]
    flat = pad(values.flatten(0, 1)[:, None], (1, 1 + width % 2, 1, 1 + height % 2))
    return conv2d(flat, _kernel(values), stride=2).view(*values.shape[:2], -(-height // 2), -(-width // 2))


def _prolonged(values: Tensor, like: Tensor) -> Tensor:
    """[B, C, H, W]: bilinear, from a grid of half the size."""
    grown = conv_transpose2d(values.flatten(0, 1)[:, None], _kernel(values), stride=2)
    height, width = like.shape[2:]
    return grown[:, 0, 1 : height + 1, 1 : width + 1].reshape(like.shape)


def _norm(values: Tensor) -> Tensor:
    return values.square().sum((2, 3), keepdim=True).sqrt()


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """0 where nothing is left to solve."""
    return torch.where(below == 0, 0, above / torch.where(below == 0, 1, below))
