"""How far the maps of one image moved between runs, and how much of them lies in its mask, with numpy alone."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.comparison.predictions import Targets
from cnnvis_report.evidence.ranks import standard_ranks
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun

FINEST = 56  # positions a side: fine enough for the maps of layers, coarse enough that single pixels don't decide

DIGITS = 12  # after the point, below which differences are rounding

Arrays = dict[str, npt.NDArray[Any]]
Values = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
Exact = npt.NDArray[np.float64]


def map_keys(
    images: Sequence[ImageRecord], targets: Targets, methods: Sequence[ComparedMethod]
) -> dict[str, tuple[str, ...]]:
    """By method, the key of its map in each run's arrays; of methods that have one in all runs."""
    records = [
        {(record.method, record.layer): record.key for record in image.maps if target and record.target == target.index}
        for image, target in zip(images, targets, strict=True)
    ]
    keys: dict[str, tuple[str, ...]] = {}
    for method in methods:
        of_runs = [(method.info.name, layer) for layer in method.layers]
        if all(name in known for name, known in zip(of_runs, records, strict=True)):
            keys[method.key] = tuple(known[name] for name, known in zip(of_runs, records, strict=True))
    return keys


def shown_maps(
    runs: Sequence[StoredRun], arrays: Sequence[Arrays], method: ComparedMethod, keys: Sequence[str]
) -> list[Values]:
    """One map of each run, one value a position."""
    infos = [run.record.method(method.info.name) for run in runs]
    parts = zip(infos, arrays, keys, strict=True)
    return [info.shown(of_run[key].astype(np.float32, copy=False)) for info, of_run, key in parts]


def moved(maps: Sequence[Values]) -> tuple[float | None, ...]:
    """1 − Spearman's rank correlation of the first map with each later one; None where a map has a single value.

    Two maps are compared at the coarser of their sizes, and at 56 positions a side at most; finer ones are averaged
    over areas.
    """
    ranks: dict[tuple[int, tuple[int, int]], npt.NDArray[np.float64]] = {}

    def ranked(index: int, size: tuple[int, int]) -> npt.NDArray[np.float64]:
        if (index, size) not in ranks:
            # rounded back, so that plateaus stay flat: ranks would turn noise into an order
            ranks[index, size] = standard_ranks(averaged(maps[index], size).astype(np.float32))
        return ranks[index, size]

    distances: list[float | None] = []
    for index in range(1, len(maps)):
        height, width = (min(FINEST, maps[0].shape[axis], maps[index].shape[axis]) for axis in (0, 1))
        correlation = float(ranked(0, (height, width)) @ ranked(index, (height, width)))
        distances.append(None if np.isnan(correlation) else round(1 - min(1.0, max(-1.0, correlation)), DIGITS))
    return tuple(distances)


def mask_energy(values: Values, mask: Mask | None) -> float | None:
    """The share of a map's positive part that lies in a mask [H, W]; None without one that tells something.

    A smaller map is upsampled first, as the report shows it.

    Source: Arras et al. 2020, arXiv:2003.07258, relevance mass accuracy.
    """
    if mask is None or mask.all() or not mask.any():
        return None
    height, width = mask.shape
    positive = np.maximum(upsampled(values, (height, width)), 0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else 0.0


def movement(of_methods: dict[str, tuple[float | None, ...]], methods: Sequence[ComparedMethod]) -> list[float | None]:
    """Of each later run, the median over the methods that explain something; None where there is no such map."""
    explaining = {method.key for method in methods if not method.info.baseline}
    rows = [values for key, values in of_methods.items() if key in explaining]
    medians: list[float | None] = []
    for column in zip(*rows, strict=True):
        known = [value for value in column if value is not None]
        medians.append(median(known) if known else None)
    return medians


def averaged(values: Values, size: tuple[int, int]) -> Exact:
    """A map [h, w] on a grid that is no finer, averaged over the areas of adaptive average pooling."""
    return _resized(values, size, _averaging)


def upsampled(values: Values, size: tuple[int, int]) -> Exact:
    """A map [h, w] at another size: bilinear, align_corners=False, as the report shows it."""
    return _resized(values, size, _interpolating)


def _resized(values: Values, size: tuple[int, int], weights: Callable[[int, int], Exact]) -> Exact:
    exact = values.astype(np.float64)
    if values.shape[0] != size[0]:
        exact = weights(values.shape[0], size[0]) @ exact
    if values.shape[1] != size[1]:
        exact = exact @ weights(values.shape[1], size[1]).T
    return exact


@lru_cache(maxsize=64)
def _averaging(length: int, side: int) -> Exact:
    """[side, length]: which positions each area averages over; where sides don't divide, neighbors share some."""
    weights = np.zeros((side, length))
    for area in range(side):
        start, end = area * length // side, -(-(area + 1) * length // side)
        weights[area, start:end] = 1 / (end - start)
    return weights


@lru_cache(maxsize=64)
def _interpolating(length: int, side: int) -> Exact:
    """[side, length]: the two positions that each new one lies between, by their nearness."""
    centers = np.clip((np.arange(side) + 0.5) * length / side - 0.5, 0, length - 1)
    below = centers.astype(np.intp)
    weights = np.zeros((side, length))
    weights[np.arange(side), below] = 1 - (centers - below)
    weights[np.arange(side), np.minimum(below + 1, length - 1)] += centers - below
    return weights
