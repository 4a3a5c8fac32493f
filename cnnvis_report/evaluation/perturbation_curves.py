"""Curves of a score while pixels of one picture become those of another, with points where the curve needs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest

Values = npt.NDArray[np.float64]
Key = tuple[int, int]  # path, order


@dataclass(frozen=True)
class Path:
    """From one picture to another, both [C, H, W]."""

    start: Tensor
    end: Tensor


@dataclass(frozen=True)
class Refinement:
    """How finely curves are followed.

    steps: even steps that every curve begins with.
    tolerance: what may be uncertain of the area under a curve, as a share of the score's range between its ends.
    finest: no step is smaller than one of so many even ones.
    flat: of each score, the range from which on a curve is refined at all.
    """

    steps: int
    tolerance: float
    finest: int
    flat: Sequence[float]


@dataclass
class Curve:
    """Scores [points, S] after so many pixels, of `pixels`, have changed."""

    changed: Values
    scores: Values
    pixels: int

    @property
    def area(self) -> Values:
        """[S]: the area under each score over 0..1, by trapezoids."""
        heights = (self.scores[1:] + self.scores[:-1]) / 2
        area: Values = np.diff(self.changed) @ heights / self.pixels
        return area

    def at(self, steps: int) -> Values:
        """[steps + 1, S]: at even distances, on straight lines between the points."""
        even = np.linspace(0, self.pixels, steps + 1)
        return np.stack([np.interp(even, self.changed, column) for column in self.scores.T], axis=1)

    def insert(self, changed: Sequence[int], scores: Values) -> None:
        """Put in points between those that are there."""
        position = np.searchsorted(self.changed, changed)
        self.changed = np.insert(self.changed, position, changed)
        self.scores = np.insert(self.scores, position, scores, axis=0)

    def wanted(self, refinement: Refinement) -> list[int]:
        """The next points: middles of the steps that leave most of the area uncertain, until little enough is."""
        widths = np.diff(self.changed)
        ranges = np.abs(self.scores[-1] - self.scores[0])
        told = ranges >= np.asarray(refinement.flat)
        if not told.any():
            return []
        heights = np.abs(np.diff(self.scores, axis=0))[:, told] / ranges[told]
        # a curve that only falls or only rises within a step lies within its box, at most half of it off the diagonal
        uncertain = (widths[:, None] / self.pixels * heights / 2).max(axis=1)
        order = np.argsort(-uncertain, kind="stable")
        excess = uncertain.sum() - refinement.tolerance
        middles = []
        for step in order:
            if excess <= 0:
                break
            if widths[step] >= 2 * max(1.0, self.pixels / refinement.finest):
                middles.append(int(self.changed[step] + widths[step] // 2))
                excess -= uncertain[step] / 2  # what halving a straight step would take
        return middles


@torch.no_grad()
def follow(
    paths: Sequence[Path],
    orders: Tensor,
    score: Callable[[Tensor], Tensor],
    refinement: Refinement,
    *,
    capacity: int,
) -> list[list[Curve]]:
    """The scores along each path while its pixels change in each of the orders, all in full batches.

    Args:
        paths: B of them. Pictures that several paths share are scored once.
        orders: [K, H, W], places of the pixels, from 0.
        score: [M, C, H, W] images, which it may work on in place, to [M, S] scores.
        capacity: how many images are held and scored at once.

    Returns:
        The curves, path by path and order by order.

    Raises:
        BadRequest: the steps or the capacity are below 1.
    """
    if refinement.steps < 1 or capacity < 1:
        raise BadRequest(f"Perturbing pixels needs steps ≥ 1 and capacity ≥ 1, not {refinement.steps} and {capacity}.")
    pixels = orders[0].numel() if len(orders) else 1
    ends = _ends(paths, score, capacity)
    curves = {
        (b, k): Curve(np.array([0.0, pixels]), np.stack(ends[b]), pixels)
        for b in range(len(paths))
        for k in range(len(orders))
    }
    first = [-(-step * pixels // refinement.steps) for step in range(1, refinement.steps)]
    wanted = [(key, changed) for key in curves for changed in sorted({*first} - {0, pixels})]
    moved = orders.to(paths[0].start.device) if paths else orders
    while wanted:
        scores = _scored(paths, moved, wanted, score, capacity)
        points: dict[Key, list[int]] = {}
        for number, (key, _) in enumerate(wanted):
            points.setdefault(key, []).append(number)
        for key, numbers in points.items():
            curves[key].insert([wanted[number][1] for number in numbers], scores[numbers])
        wanted = [(key, changed) for key in points for changed in sorted(curves[key].wanted(refinement))]
    return [[curves[b, k] for k in range(len(orders))] for b in range(len(paths))]


def _ends(paths: Sequence[Path], score: Callable[[Tensor], Tensor], capacity: int) -> list[tuple[Values, Values]]:
    """[S] scores of the first and the last picture of each path."""
    pictures: dict[int, Tensor] = {}
    for path in paths:
        pictures |= {id(path.start): path.start, id(path.end): path.end}
    numbers = {key: number for number, key in enumerate(pictures)}
    if not numbers:
        return []
    parts = torch.split(torch.stack(list(pictures.values())), capacity)
    scores = torch.cat([score(part) for part in parts]).double().cpu().numpy()
    return [(scores[numbers[id(path.start)]], scores[numbers[id(path.end)]]) for path in paths]


def _scored(
    paths: Sequence[Path],
    orders: Tensor,
    wanted: Sequence[tuple[Key, int]],
    score: Callable[[Tensor], Tensor],
    capacity: int,
) -> Values:
    """[M, S]: the scores of the pictures in which so many pixels of a path have changed, in one of the orders."""
    found = []
    for first in range(0, len(wanted), capacity):
        batch = wanted[first : first + capacity]
        pictures = [
            torch.where(orders[order] < changed, paths[path].end, paths[path].start) for (path, order), changed in batch
        ]
        found.append(score(torch.stack(pictures)).double().cpu())
    return torch.cat(found).numpy()
