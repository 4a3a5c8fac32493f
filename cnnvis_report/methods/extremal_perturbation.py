"""Extremal perturbation."""

import torch
from torch import Tensor

from cnnvis_report.engine.rounding import root_mean_square
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign

CELLS = 16  # along the shorter side
SPREAD = 0.75  # of a cell over the mask, in cells
BLUR = 1 / 12  # of what is outside the mask, in shorter sides
RATE = 0.3
MOMENTUM = 0.8
ALIKE = 1e-5  # of a mask's range
PULL = 3.0  # of the area, towards the end; the score's has a mean square of 1


@method(
    title="Extremal perturbation",
    family=Family.PERTURBATION,
    source="Fong et al. 2019, arXiv:1910.08485",
    formula=r"\argmax_m S(m \odot x + (1 - m) \odot b) - \lambda \lVert \operatorname{sort}(m) - r \rVert^2",
    sign=Sign.POSITIVE,
    kind=Kind.AREA,
    preset="all",
    bounds={"area": Between(0, 1, open=True), "steps": Between(1, 100_000)},
    effort={"low": {"steps": 10}, "medium": {"steps": 30}, "high": {"steps": 100}},
    notes={"baseline": "from {}", "area": "area {}"},
)
def extremal_perturbation(tape: Tape, targets: Tensor, *, area: float = 0.1, steps: int = 100) -> Tensor:
    """The smooth mask of a given area that keeps the class score highest when all around it is blurred.

    argmax over m of S(m x + (1 - m) b) - l |sort(m) - r|^2, r 1 on the given share of pixels and 0 on the rest, l
    growing with the steps; S the target logit, b the image under a Gaussian blur of 1/12 of the shorter side. m is
    made of 16 cells along the shorter side, blended by Gaussians of 3/4 of a cell. By mirror ascent with momentum in
    the cells' log-odds, shifted after each step so that the mean of m is the area; the slope of the score is scaled to
    a mean square of 1.

    Args:
        targets: [N] class indices.
        area: the mask's share of the image.
        steps: how many steps of the ascent.

    Returns:
        [N, H, W], the mask, in 0..1.
    """
    images = tape.images
    blurred = _blurred(images)
    grid = _Grid(images)
    odds = grid.with_area(images.new_zeros(len(images), *grid.shape), area)
    speed = torch.zeros_like(odds)
    for step in range(steps):
        masks = grid.masks(odds)
        gradient = tape.replay(torch.lerp(blurred, images, masks.unsqueeze(1))).gradients(targets).pixels
        slope = grid.back((gradient * (images - blurred)).sum(dim=1))
        spread = root_mean_square(slope)
        slope = slope / torch.where(spread > 0, spread, 1)
        pull = grid.back(_sharp(masks, area) - masks) / grid.sizes
        speed = MOMENTUM * speed + slope + 2 * PULL * step / steps * pull
        odds = grid.with_area(odds + RATE * speed, area)
    masks = grid.masks(odds)
    tape.note(baseline="blur", area=masks.mean(dim=(1, 2)))
    return masks


class _Grid:
    """Cells under a mask: each pixel is a weighted mean of the cells around it."""

    def __init__(self, images: Tensor) -> None:
        height, width = images.shape[2:]
        cell = max(1, round(min(height, width) / CELLS))
        self._rows, self._columns = _blend(height, cell, SPREAD, images), _blend(width, cell, SPREAD, images)
        self.shape = self._rows.shape[1], self._columns.shape[1]
        self.sizes = self._rows.sum(dim=0).unsqueeze(1) * self._columns.sum(dim=0)  # in pixels
        self._shares = self.sizes / self.sizes.sum()

    def masks(self, odds: Tensor) -> Tensor:
        """[N, H, W] in 0..1 from the cells' log-odds."""
        return self._rows @ odds.sigmoid() @ self._columns.mT

    def back(self, slopes: Tensor) -> Tensor:
        """Slopes with respect to cells from those with respect to pixels [N, H, W]."""
        return self._rows.mT @ slopes @ self._columns

    def with_area(self, odds: Tensor, area: float) -> Tensor:
        """The log-odds, all of an image shifted by as much as gives its mask this mean."""
        low, high = odds.amin((1, 2), keepdim=True) - 40, odds.amax((1, 2), keepdim=True) + 40
        for _ in range(50):
            middle = (low + high) / 2
            large = (self._shares * (odds - middle).sigmoid()).sum(dim=(1, 2), keepdim=True) > area
            low, high = torch.where(large, middle, low), torch.where(large, high, middle)
        return odds - (low + high) / 2


def _sharp(masks: Tensor, area: float) -> Tensor:
    """[N, H, W]: 1 on that share of each mask's pixels where it is largest, 0 on the rest."""
    flat = masks.flatten(1)
    rest = min(int((1 - area) * flat.shape[1]), flat.shape[1] - 1)
    # pixels that only rounding tells apart count alike; it would choose the map where the score has no slope
    return (masks >= flat.kthvalue(rest + 1, dim=1).values[:, None, None] - ALIKE).to(masks)


def _blurred(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    spread = min(height, width) * BLUR
    return _blend(height, 1, spread, images) @ images @ _blend(width, 1, spread, images).mT


def _blend(side: int, cell: int, spread: float, like: Tensor) -> Tensor:
    """[side, cells]: how much each cell counts at each pixel, by a Gaussian of its distance in cells; rows sum to 1."""
    cells = torch.arange(-(-side // cell), dtype=like.dtype, device=like.device)
    pixels = (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / cell - 0.5
    weights = (-((pixels.unsqueeze(1) - cells) / spread).square() / 2).exp()
    return weights / weights.sum(dim=1, keepdim=True)
