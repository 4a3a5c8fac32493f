"""Curves of a score while pixels of one picture become those of another, with points where the curve needs them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest

Values = npt.NDArray[np.float64]
Key = tuple[int, int]  # path, order
ROUNDS = 4  # in which a limited number of passes is spent: each sees what the last one found


@dataclass(frozen=True)
class Path:
    """From one picture to another, both [C, H, W]."""

    start: Tensor
    end: Tensor


@dataclass(frozen=True)
class Refinement:
    """How finely curves are followed.

    steps: that every curve begins with, smaller ones towards both ends: there the first pixels that change, however
        few, make a picture unlike any that the network was trained on, and scores of natural pictures fall at once.
    tolerance: what the area under a curve may be wrong by, as a share of the distance from its lowest point to its
        highest one. It is estimated from how the curve bends.
    finest: no step is halved into smaller ones than one of so many even ones.
    flat: of each score, the distance from lowest to highest up to which a curve isn't refined.
    passes: that all curves of one order take together at most, their ends aside; the first score then decides where
        they go. Where None, as many as the tolerance asks for.
    """

    steps: int
    tolerance: float
    finest: int
    flat: Sequence[float]
    passes: int | None = None


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

    @property
    def backward(self) -> "Curve":
        """The same pictures from the last to the first: that of the mirrored order, from the end of the path."""
        return Curve(self.pixels - self.changed[::-1], self.scores[::-1], self.pixels)

    def insert(self, changed: Sequence[int], scores: Values) -> None:
        """Put in points between those that are there."""
        position = np.searchsorted(self.changed, changed)
        self.changed = np.insert(self.changed, position, changed)
        self.scores = np.insert(self.scores, position, scores, axis=0)

    def wanted(self, refinement: Refinement) -> list[int]:
        """The next points: middles of the steps that leave too much of the area uncertain; none where it is known."""
        widths = np.diff(self.changed) / self.pixels
        spreads = np.ptp(self.scores, axis=0)
        varying = spreads > np.asarray(refinement.flat)
        if len(widths) < 2 or not varying.any():
            return []
        wrong = (_trapezoid_errors(widths, self.scores[:, varying]) / spreads[varying]).max(axis=1)
        if wrong.sum() <= refinement.tolerance:
            return []
        halved = (wrong > refinement.tolerance * widths) & self._divisible(refinement)
        return [self._middle(step) for step in np.flatnonzero(halved)]

    def uncertain(self, refinement: Refinement) -> list[tuple[float, int]]:
        """What each step may add to the error of the first score's area, and its middle; none where that is known.

        A curve that rises or falls all the way lies in the rectangle between a step's two points, and the trapezoid is
        wrong by half of that at most.
        """
        widths, scores = np.diff(self.changed) / self.pixels, self.scores[:, 0]
        spread = float(np.ptp(scores))
        errors = widths * np.abs(np.diff(scores)) / 2
        if not spread > refinement.flat[0] or errors.sum() <= refinement.tolerance * spread:
            return []
        steps = np.flatnonzero(self._divisible(refinement) & (errors > refinement.tolerance * widths * spread))
        return [(float(errors[step]), self._middle(step)) for step in steps]

    def _divisible(self, refinement: Refinement) -> npt.NDArray[np.bool_]:
        """Of each step, whether it may be halved."""
        divisible: npt.NDArray[np.bool_] = np.diff(self.changed) / self.pixels >= 2 / min(
            refinement.finest, self.pixels
        )
        return divisible

    def _middle(self, step: np.intp) -> int:
        return int(self.changed[step] + self.changed[step + 1]) // 2


def _trapezoid_errors(widths: Values, scores: Values) -> Values:
    """[steps, S]: how wrong a trapezoid is where the curve bends as at the sharper one of its ends."""
    slopes = np.diff(scores, axis=0) / widths[:, None]
    bends = np.abs(np.diff(slopes, axis=0)) / ((widths[1:] + widths[:-1]) / 2)[:, None]
    around = np.concatenate([bends[:1], bends, bends[-1:]])
    errors: Values = widths[:, None] ** 3 / 12 * np.maximum(around[1:], around[:-1])
    return errors


def first_points(steps: int, pixels: int) -> list[int]:
    """How many pixels have changed after each step s of S but the last: the share (1 - cos(πs/S)) / 2."""
    points = {round(pixels * (1 - math.cos(math.pi * step / steps)) / 2) for step in range(1, steps)}
    return sorted(points - {0, pixels})


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
    wanted = [(key, changed) for key in curves for changed in first_points(refinement.steps, pixels)]
    moved = orders.to(paths[0].start.device) if paths else orders
    rounds = ROUNDS
    while wanted:
        scores = _scored(paths, moved, wanted, score, capacity)
        points: dict[Key, list[int]] = {}
        for number, (key, _) in enumerate(wanted):
            points.setdefault(key, []).append(number)
        for key, numbers in points.items():
            curves[key].insert([wanted[number][1] for number in numbers], scores[numbers])
        if refinement.passes is None:
            wanted = [(key, changed) for key in points for changed in sorted(curves[key].wanted(refinement))]
        else:
            wanted = [point for k in range(len(orders)) for point in _worst(curves, k, refinement, rounds)]
        rounds -= 1
    return [[curves[b, k] for k in range(len(orders))] for b in range(len(paths))]


def _worst(curves: Mapping[Key, Curve], order: int, refinement: Refinement, rounds: int) -> list[tuple[Key, int]]:
    """The points that tell most of the areas under the curves of one order, as many as a round may take."""
    of_order = {key: curve for key, curve in curves.items() if key[1] == order}
    left = (refinement.passes or 0) - sum(len(curve.changed) - 2 for curve in of_order.values())
    if left <= 0 or not rounds:
        return []
    steps = [(error, key, middle) for key, curve in of_order.items() for error, middle in curve.uncertain(refinement)]
    chosen = sorted(steps, reverse=True)[: math.ceil(left / rounds)]
    return sorted((key, middle) for _, key, middle in chosen)


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
    scores = []
    for first in range(0, len(wanted), capacity):
        batch = wanted[first : first + capacity]
        pictures = [
            torch.lerp(paths[path].start, paths[path].end, (orders[order] < changed).to(paths[path].start))
            for (path, order), changed in batch
        ]  # either picture, exactly, in a fifth of the time of torch.where
        scores.append(score(torch.stack(pictures)).double().cpu())
    return torch.cat(scores).numpy()
