"""Extremal perturbation against autograd through the whole of its objective."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest
from tests.methods.maps import noted, only
from tests.networks import SumOfSquares

pytestmark = pytest.mark.numeric


class Contrast(nn.Module):
    """Two classes: how much there is to see in a known patch, and in a strip at the edge."""

    def forward(self, x: Any) -> Any:
        return torch.stack([x[:, :, 8:24, 16:32].square().sum((1, 2, 3)), x[:, :, :, :8].square().sum((1, 2, 3))], 1)


def test_extremal_perturbation_meets_the_area_and_covers_what_counts() -> None:
    images = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = 16 * 16 / (32 * 48)  # of the patch, and of the strip
    targets = torch.tensor([[0, 1], [0, 1]])
    maps, notes, _ = noted(Contrast(), images, targets, "extremal_perturbation", area=share)
    torch.testing.assert_close(maps.mean((2, 3)), torch.full((2, 2), share, dtype=torch.float64), atol=0.02, rtol=0)
    torch.testing.assert_close(notes["area"], maps[:, 1].mean((1, 2)))
    assert float(maps.amin()) >= 0 and float(maps.amax()) <= 1
    inside = torch.stack([maps[:, 0, 8:24, 16:32].mean((1, 2)), maps[:, 1, :, :8].mean((1, 2))])
    assert float(inside.min()) > 0.75, "the borders are soft"


def blend_slowly(side: Any, cell: Any, spread: Any) -> Any:
    cells = math.ceil(side / cell)
    weights = [
        [math.exp(-((((u + 0.5) / cell - 0.5 - v) / spread) ** 2) / 2) for v in range(cells)] for u in range(side)
    ]
    return torch.tensor([[w / sum(row) for w in row] for row in weights], dtype=torch.float64)


def extremal_slowly(network: Any, image: Any, target: Any, area: Any, steps: Any) -> Any:
    """Slopes by autograd through the whole of the objective, sorted as the paper writes it."""
    height, width = image.shape[1:]
    side = min(height, width)
    cell = max(1, round(side / 16))
    rows, columns = blend_slowly(height, cell, 0.75), blend_slowly(width, cell, 0.75)
    blurred = blend_slowly(height, 1, side / 12) @ image @ blend_slowly(width, 1, side / 12).T
    sizes = rows.sum(0)[:, None] * columns.sum(0)
    ones = height * width - int((1 - area) * height * width)
    reference = torch.tensor([0.0] * (height * width - ones) + [1.0] * ones, dtype=torch.float64)

    def shifted(odds: Any) -> Any:
        low, high = -100.0, 100.0
        for _ in range(100):
            middle = (low + high) / 2
            mean = float((rows @ (odds - middle).sigmoid() @ columns.T).mean())
            low, high = (middle, high) if mean > area else (low, middle)
        return odds - middle

    odds = shifted(torch.zeros(rows.shape[1], columns.shape[1], dtype=torch.float64))
    speed = torch.zeros_like(odds)
    for step in range(steps):
        cells = odds.sigmoid().requires_grad_()
        mask = rows @ cells @ columns.T
        score = network((mask * image + (1 - mask) * blurred)[None])[0, target]
        (slope,) = torch.autograd.grad(score, cells, retain_graph=True)
        miss = (mask.flatten().sort().values - reference).square().sum()
        (pull,) = torch.autograd.grad(miss, cells)
        speed = 0.8 * speed + slope / slope.square().mean().sqrt() - 3 * step / steps * pull / sizes
        odds = shifted(odds + 0.3 * speed)
    return rows @ odds.sigmoid() @ columns.T


@pytest.mark.parametrize("area", [0.1, 0.45])
def test_extremal_perturbation_equals_its_definition(network: Any, area: Any) -> None:
    images = torch.randn(2, 3, 24, 37, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    maps = only(network, images, [2, 4], "extremal_perturbation", area=area, steps=6)
    for actual, image, target in zip(maps, images, (2, 4), strict=True):
        torch.testing.assert_close(actual, extremal_slowly(network, image, target, area, 6), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("options", [{"area": 0.0}, {"area": 1.0}, {"steps": 0}])
def test_extremal_perturbation_refuses_what_it_cannot_do(images: Any, options: Any) -> None:
    with pytest.raises(BadRequest, match=r"of extremal_perturbation is .*; it takes a number"):
        only(SumOfSquares(), images, [0, 0, 0], "extremal_perturbation", **options)


class Indifferent(nn.Module):
    """Two classes: one of contrast, and one that no image changes."""

    def forward(self, x: Any) -> Any:
        contrast = x.square().sum((1, 2, 3))
        return torch.stack([contrast, 0 * contrast], 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_a_score_without_a_slope_leaves_the_mask_even(dtype: torch.dtype) -> None:
    # rounding alone would choose the pixels that the area pulls up, and another processor would choose others
    images = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0), dtype=dtype)
    maps = only(Indifferent(), images, torch.tensor([[1], [1]]), "extremal_perturbation", area=0.2, steps=8)
    torch.testing.assert_close(maps, torch.full_like(maps, 0.2), atol=1e-3, rtol=0)
