"""Noisy linear imputation: removed pixels become what their neighbors make likely, so that their shape tells nothing.

Each removed pixel is the weighted mean of its neighbors, 1/6 for those beside it and 1/12 for the diagonal ones. That
is a linear system in all removed pixels of an image; it is solved here by conjugate gradients, with a multigrid cycle
that carries the known colors into large holes.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, max_pool2d, pad

BESIDE, DIAGONAL = 1 / 6, 1 / 12
NOISE = 0.01  # standard deviation, in the unit of normalized images
COARSEST = 4  # pixels of a side
MOST_ROUNDS = 200


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
