"""Maps of several networks on one scale and one grid, to be laid beside each other and subtracted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.methods import Array, Kind, MethodInfo, Reduction, Sign
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.pictures.resample import Growth, resize

Arrays = Mapping[str, npt.NDArray[Any]]


def scaled_maps(method: ComparedMethod, keys: Sequence[str], arrays: Sequence[Arrays]) -> list[Array | None]:
    """A method's map in each run, divided by the value where its colors end: logits of two networks don't compare.

    Args:
        keys: of the map in each run's arrays; empty where a run has none.

    Returns:
        [h, w], of the size of the largest one; None where a run has none.
    """
    maps = [
        _scaled(method.info, run[key]) if key and key in run else None for key, run in zip(keys, arrays, strict=True)
    ]
    shapes = {values.shape for values in maps if values is not None}
    if len(shapes) < 2:
        return maps
    size = (max(shape[0] for shape in shapes), max(shape[1] for shape in shapes))
    growth = Growth.CUBIC if method.info.kind is Kind.LAYER else Growth.NEAREST
    return [None if values is None else _grown(method.info, values, size, growth) for values in maps]


def difference_of(method: MethodInfo) -> MethodInfo:
    """What a method's map of one run less that of another is: a signed map of the same kind."""
    return replace(method, sign=Sign.SIGNED, reduction=Reduction.SUM, color=False)


def _scaled(method: MethodInfo, array: npt.NDArray[Any]) -> Array:
    values = method.shown(array.astype(np.float32, copy=False))
    return np.asarray(values / limit(values, clipped=method.kind is Kind.PIXEL), dtype=np.float32)


def _grown(method: MethodInfo, values: Array, size: tuple[int, int], growth: Growth) -> Array:
    grown = np.asarray(resize(values, size, growth), dtype=np.float32)
    return np.maximum(grown, 0) if method.shown_sign is Sign.POSITIVE else grown
