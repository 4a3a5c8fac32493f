"""RISE."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods._sampling import note_standard_error, relative_error
from cnnvis_report.methods.options import STANDARD_ERROR, Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign

BLOCK = 64  # masks that are drawn together, a power of two; between two blocks the standard error is looked at
TOGETHER = 20  # masks that are added to the sums at a time
MASKS = {"cuda": 4000}
MASKS_ELSEWHERE = 500


@method(
    title="RISE",
    family=Family.PERTURBATION,
    source="Petsiuk et al. 2018, arXiv:1806.07421",
    formula=r"\frac{1}{N p (1 - p)} \sum_n (f(x \odot M_n) - \bar{f}) (M_n - p)",
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
    notes={"baseline": "from {}", "masks": "{} masks", **STANDARD_ERROR},
    randomness=Randomness.SEED,
    effort={"low": {"n": 64}, "medium": {"n": 128}, "high": {"n": 384}},
)
def rise(tape: Tape, targets: Tensor, *, n: int = 0, cells: int = 7, p: float = 0.5, tolerance: float = 0.1) -> Tensor:
    """How much the class probability rises where the image is visible, over random masks that hide part of it.

    sum (f(x * M) - f') (M - p) / (N p (1 - p)) over N masks M, f the probability of the class, x the normalized image:
    what is hidden is gray, the mean of the training set (0 after normalization). f' is the mean of f over earlier
    masks, without which the same sum would need many more of them, as M - p has a mean of 0. M is a grid of cells ×
    cells, each 1 with probability p and 0 otherwise, upsampled (bilinear, align_corners=False) to cells + 1 times a
    cell's size in the image and cut to the image at a random place; the same masks for every image and class. With p
    of 1/2, blocks of 64 masks show every cell, and every two cells in all four ways, equally often, which leaves less
    to chance. The report states the standard error, from how blocks differ: its root mean square as a share of the
    map's standard deviation.

    Args:
        targets: [N, K] class indices.
        n: how many masks at most; 0 means 4000 on a GPU and 500 elsewhere.
        cells: of a mask's grid, along each side.
        p: how much of the image a mask shows.
        tolerance: a map is done when its standard error, looked at every 64 masks, is below this.

    Returns:
        [N, K, H, W] in probability.
    """
    means = _Means(tape, targets, p)
    for masks in _masks(tape, n or MASKS.get(tape.images.device.type, MASKS_ELSEWHERE), cells, p):
        means.add(masks)
        means.going &= ~(relative_error(means.maps, means.variances) < tolerance)
        if not bool(means.going.any()):
            break
    tape.note(baseline=tape.color_name("gray"), masks=means.count)
    note_standard_error(tape, means.maps, means.variances)
    return means.maps


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


class _Means:
    """What the masks have brought: means of (f - f') (M - p) / (p (1 - p)), map by map, and how they vary over blocks.

    count: masks of each map. going: the maps that aren't done.
    """

    def __init__(self, tape: Tape, targets: Tensor, p: float) -> None:
        self._tape, self._targets, self._p = tape, targets, p
        self.maps = tape.images.new_zeros((*targets.shape, *tape.images.shape[2:]))
        self._squares = torch.zeros_like(self.maps)
        self.count = tape.images.new_zeros(targets.shape)
        self._blocks = torch.zeros_like(self.count)
        self._score = torch.zeros_like(self.count)  # the mean of f so far
        self.going = torch.ones_like(self.count, dtype=torch.bool)

    def add(self, block: _Masks) -> None:
        """Let the network see the images of maps that aren't done through the masks."""
        active = self.going.any(dim=1).nonzero().flatten()
        images, targets = self._tape.images[active], self._targets[active]
        group = max(1, self._tape.capacity // len(active))
        buffer = images.new_empty((group, *images.shape))
        class_scores = []
        for start in range(0, len(block), group):
            masks = block.at(slice(start, start + group))
            masked = torch.mul(masks[:, None, None], images, out=buffer[: len(masks)])
            logits = self._tape.scores(masked.flatten(0, 1), active.repeat(len(masks)))
            scores = self._tape.subject.probabilities(logits)
            class_scores.append(scores.view(len(masks), len(active), -1).gather(2, targets.expand(len(masks), -1, -1)))
        self._take(active, torch.cat(class_scores), block)

    def _take(self, active: Tensor, class_scores: Tensor, block: _Masks) -> None:
        """Count in what the block's masks have brought [M, n, K], some masks at a time: sums are large."""
        total = torch.zeros_like(self.maps[active])
        # f less a number that the masks don't hang on has the same map, and far less of it is due to chance
        score = class_scores.mean(dim=0)
        before = self._score[active]
        class_scores = class_scores - torch.where(self._blocks[active] > 0, before, score)
        for start in range(0, len(block), TOGETHER):
            part = slice(start, start + TOGETHER)
            centered = (block.at(part) - self._p) / (self._p * (1 - self._p))
            total += torch.einsum("mnk,mhw->nkhw", class_scores[part], centered)
        weights = len(block) * self.going[active]
        self.count[active] += weights
        self._blocks[active] += self.going[active]
        self._score[active] += (score - before) * weights / self.count[active]
        difference = total / len(block) - self.maps[active]
        step = difference * (weights / self.count[active])[..., None, None]
        self.maps[active] += step
        self._squares[active] += weights[..., None, None] * difference * (difference - step)

    @property
    def variances(self) -> Tensor:
        """[N, K, H, W]: of the maps, over masks; not a number after one block."""
        free = torch.where(self._blocks > 1, self._blocks - 1, math.nan)
        return self._squares / (free * self.count)[..., None, None]


def _masks(tape: Tape, n: int, cells: int, p: float) -> Iterator[_Masks]:
    """Blocks of n masks in all; they depend on the seed, the options and the image's size."""
    like = tape.images
    generator = torch.Generator().manual_seed(tape.seed)
    ramps = [_ramps(side, cells, like) for side in like.shape[2:]]
    size = min(BLOCK, 1 << max(1, (n // 2).bit_length() - 1))  # two blocks at least, whose difference says the error
    for start in range(0, n, size):
        if p == 0.5:
            grids = _balanced(size, cells, generator)
        else:
            grids = torch.rand(size, cells, cells, generator=generator, dtype=torch.float32) < p
        rows, columns = (
            windows[:, torch.randint(windows.shape[1], (size,), generator=generator).to(like.device)]
            for windows in ramps
        )
        used = slice(min(size, n - start))
        yield _Masks(grids[used].to(like), rows[:, used], columns[:, used])


def _balanced(size: int, cells: int, generator: torch.Generator) -> Tensor:
    """[size, cells, cells]: random grids, half of which show a cell and a quarter both of two; size a power of two.

    An orthogonal array of strength 2: a cell is shown by the parity of those bits of the grid's number that the cell's
    own number has. Of more cells than there are numbers some are shown together, or in turn, at random.
    """
    count = cells * cells
    rounds = [torch.randperm(size - 1, generator=generator) + 1 for _ in range(math.ceil(count / (size - 1)))]
    shared = torch.arange(size).unsqueeze(1) & torch.cat(rounds)[:count]
    parity = torch.randint(2, (count,), generator=generator).expand(size, -1)
    while bool(shared.any()):
        parity, shared = parity ^ (shared & 1), shared >> 1
    return parity.bool().view(size, cells, cells)


def _ramps(side: int, cells: int, like: Tensor) -> Tensor:
    """[g, places, side]: how much each of g = cells rows or columns counts along a side, for each place of the cut."""
    size = math.ceil(side / cells)
    identity = torch.eye(cells, dtype=like.dtype, device=like.device).unsqueeze(0)
    upsampled = interpolate(identity, size=(cells + 1) * size, mode="linear", align_corners=False)[0]
    return upsampled.unfold(1, side, 1)[:, :size]
