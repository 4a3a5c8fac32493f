"""RISE."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign

BLOCK = 100  # masks between two looks at the standard error
TOGETHER = 20  # masks that are added to the sums at a time
MASKS = {"cuda": 4000}
MASKS_ELSEWHERE = 500


@method(
    title="RISE",
    family=Family.PERTURBATION,
    source="Petsiuk et al. 2018, arXiv:1806.07421",
    formula=r"\frac{1}{N p (1 - p)} \sum_n f(x \odot M_n) (M_n - p)",
    sign=Sign.SIGNED,
    kind=Kind.AREA,
    batched_targets=True,
    preset="all",
    bounds={
        "n": Between(0, 10_000_000),
        "cells": Between(1, 1000),
        "p": Between(0, 1, open=True),
        "tolerance": Between(0, 1_000_000),
    },
    notes={"baseline": "from {}", "masks": "{} masks", "standard_error": "standard error {} of the map's spread"},
    randomness=Randomness.SEED,
)
def rise(tape: Tape, targets: Tensor, *, n: int = 0, cells: int = 7, p: float = 0.5, tolerance: float = 0.1) -> Tensor:
    """How much likelier the class becomes when a place can be seen, over random masks that hide part of the image.

    sum f(x * M) (M - p) / (N p (1 - p)) over N masks M, f the probability of the class, x the normalized image: what is
    hidden is gray, the mean of the training set (0 after normalization). M is a grid of cells × cells, each 1 with
    probability p and 0 otherwise, upsampled (bilinear, align_corners=False) to cells + 1 times a cell's size in the
    image and cut to the image at a random place; the same masks for every image and class. The report states the
    standard error: its mean over pixels as a share of the map's standard deviation over pixels.

    Args:
        targets: [N, K] class indices.
        n: how many masks at most; 0 means 4000 on a GPU and 500 elsewhere.
        cells: of a mask's grid, along each side.
        p: how much of the image a mask shows.
        tolerance: a map is done when its standard error, looked at every 100 masks, is below this.

    Returns:
        [N, K, H, W] in probability.
    """
    sums = _Sums(tape, targets, p)
    for masks in _masks(tape, n or MASKS.get(tape.images.device.type, MASKS_ELSEWHERE), cells, p):
        sums.add(masks)
        error = sums.relative_error()
        sums.going &= error >= tolerance
        if not bool(sums.going.any()):
            break
    tape.note(baseline="gray", masks=sums.count, standard_error=error)
    return sums.total / sums.count[..., None, None]


@dataclass(frozen=True)
class _Masks:
    """A block of masks before they are drawn out to the image's size.

    grids: [M, g, g] of 0 and 1. rows, columns: [g, M, H] and [g, M, W], the weight of a grid's row in a mask's.
    """

    grids: Tensor
    rows: Tensor
    columns: Tensor

    def __len__(self) -> int:
        return len(self.grids)

    def at(self, part: slice) -> Tensor:
        """[m, H, W]: some of the masks."""
        return torch.einsum("gmh,mgk,kmw->mhw", self.rows[:, part], self.grids[part], self.columns[:, part])


class _Sums:
    """What the masks have brought: sums of f (M - p) / (p (1 - p)) and of its square, map by map.

    The terms lie around 0, so a variance from these two sums loses nothing.
    """

    def __init__(self, tape: Tape, targets: Tensor, p: float) -> None:
        self._tape, self._targets, self._p = tape, targets, p
        self.total = tape.images.new_zeros((*targets.shape, *tape.images.shape[2:]))
        self._squares = torch.zeros_like(self.total)
        self.count = tape.images.new_zeros(targets.shape)
        self.going = torch.ones_like(self.count, dtype=torch.bool)

    def add(self, block: _Masks) -> None:
        """Let the network see the images of maps that aren't done through the masks."""
        active = self.going.any(dim=1).nonzero().flatten()
        images, targets, going = self._tape.images[active], self._targets[active], self.going[active]
        group = max(1, self._tape.capacity // len(active))
        buffer = images.new_empty((group, *images.shape))
        class_scores = []
        for start in range(0, len(block), group):
            masks = block.at(slice(start, start + group))
            masked = torch.mul(masks[:, None, None], images, out=buffer[: len(masks)])
            logits = self._tape.scores(masked.flatten(0, 1), active.repeat(len(masks)))
            scores = self._tape.subject.probabilities(logits)
            class_scores.append(
                scores.view(len(masks), len(active), -1).gather(2, targets.expand(len(masks), -1, -1)) * going
            )
        self._note(active, torch.cat(class_scores), block)
        self.count += len(block) * self.going

    def _note(self, active: Tensor, class_scores: Tensor, block: _Masks) -> None:
        """Add what the block's masks have brought [M, n, K] to the sums, some masks at a time: sums are large."""
        for start in range(0, len(block), TOGETHER):
            part = slice(start, start + TOGETHER)
            centered = (block.at(part) - self._p) / (self._p * (1 - self._p))
            self.total[active] += torch.einsum("mnk,mhw->nkhw", class_scores[part], centered)
            self._squares[active] += torch.einsum("mnk,mhw->nkhw", class_scores[part].square(), centered.square())

    def relative_error(self) -> Tensor:
        """[N, K]: the mean standard error of a map's pixels over their standard deviation; infinite where unknown."""
        count = self.count[..., None, None]
        mean = self.total / count
        variance = (self._squares / count - mean.square()).clamp(min=0) / (count - 1)
        error, spread = variance.sqrt().mean(dim=(2, 3)), mean.flatten(2).std(dim=2, correction=0)
        return torch.where((self.count > 1) & (spread > 0), error / spread, math.inf)


def _masks(tape: Tape, n: int, cells: int, p: float) -> Iterator[_Masks]:
    """Blocks of n masks in all; they depend on the seed, the options and the image's size."""
    like = tape.images
    generator = torch.Generator().manual_seed(tape.seed)
    ramps = [_ramps(side, cells, like) for side in like.shape[2:]]
    for start in range(0, n, BLOCK):
        grids = torch.rand(BLOCK, cells, cells, generator=generator, dtype=torch.float32) < p
        rows, columns = (
            windows[:, torch.randint(windows.shape[1], (BLOCK,), generator=generator).to(like.device)]
            for windows in ramps
        )
        used = slice(min(BLOCK, n - start))
        yield _Masks(grids[used].to(like), rows[:, used], columns[:, used])


def _ramps(side: int, cells: int, like: Tensor) -> Tensor:
    """[g, places, side]: how much each of g = cells rows or columns counts along a side, for each place of the cut."""
    size = math.ceil(side / cells)
    identity = torch.eye(cells, dtype=like.dtype, device=like.device).unsqueeze(0)
    upsampled = interpolate(identity, size=(cells + 1) * size, mode="linear", align_corners=False)[0]
    return upsampled.unfold(1, side, 1)[:, :size]
