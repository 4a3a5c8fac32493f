"""Maps as compact text that a page can carry, and that a script there turns back into numbers.

A coarse map travels as it is. A map of many pixels is heavy-tailed: equal steps would drop its faint parts, so the
square root of the values, sign kept, is cut into equal steps instead. The maps of further classes resemble the first
one: with their steps in the order of the first map's values, equal steps come together, which saves up to half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.methods import Array, Sign
from cnnvis_report.report.pictures.pack import Filter, pack, pack_ordered, text_of

EXACT_UP_TO = 1024  # values of a coarse map: 32×32 in full precision is 5 kB of text
SMOOTH = 0.25  # characters a value, below which neighbors say more of a map than another map does
EXACT_PIXELS_UP_TO = 256  # values of a map of pixels, of which small pictures with many classes have thousands

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Quality:
    """How finely the maps of a page are kept.

    steps: from zero to the largest value of a map of pixels, at most 127. halved: whether such maps are averaged over
    2×2 first. left_out: names of methods whose maps aren't kept at all.
    """

    steps: int
    halved: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def error(self) -> float:
        """The largest difference between a value and what the page shows for it, as a share of the map's largest."""
        return (1 - (1 - 0.5 / self.steps) ** 2) if not self.halved else 1.0


# From the best that a site takes down to what still shows where a map is large: fewer steps, then half the size.
QUALITIES = (Quality(31), Quality(15), Quality(7), Quality(31, halved=True), Quality(15, halved=True))


def encode_maps(maps: Sequence[Array], sign: Sign, quality: Quality, *, coarse: bool = True) -> list[dict[str, Any]]:
    """The maps [h, w] of a method at a layer for all classes, for a page; `coarse` where they are a layer's.

    Returns:
        Of each map "shape" and "data": text, empty where the map is the first one's; "steps": from zero to the largest
        value, or 0 for exact single-precision numbers. With steps also "largest", the absolute value of the largest
        step; "signed"; "filter" of the bytes, or None where they stand in the order of the first map's steps.
    """
    exact = maps[0].size <= (EXACT_UP_TO if coarse else EXACT_PIXELS_UP_TO)
    encode = _exact if exact else _Companded(sign is Sign.SIGNED, quality)
    first = encode(maps[0])
    return [
        first,
        *({**first, "data": ""} if np.array_equal(maps[0], values) else encode(values) for values in maps[1:]),
    ]


def compand(values: Array, largest: float, signed: bool, steps: int) -> Bytes:
    """Square roots in equal steps: 0 … steps, or 0 … 2·steps with zero in the middle where `signed`."""
    roots = np.abs(values) / np.float32(largest or 1.0)
    np.sqrt(roots, out=roots)
    roots *= steps
    if signed:
        np.copysign(roots, values, out=roots)
    np.rint(roots, out=roots)
    return np.asarray(roots + (steps if signed else 0), dtype=np.uint8)


def expand(levels: Bytes, largest: float, signed: bool, steps: int) -> Array:
    """The inverse of `compand`, as the page computes it."""
    roots = (levels.astype(np.float64) - (steps if signed else 0)) / steps
    return np.asarray(largest * roots * np.abs(roots), dtype=np.float32)


def as_shown(values: Array, sign: Sign, quality: Quality) -> Array:
    """A map of pixels [h, w] as a page draws it, at its own size; for measuring what the page loses."""
    signed = sign is Sign.SIGNED
    coarse = halve(values) if quality.halved else values
    largest = float(np.abs(coarse).max())
    levels = compand(coarse, largest, signed, quality.steps)
    drawn = expand(levels, largest, signed, quality.steps)
    grown = drawn.repeat(2, axis=0).repeat(2, axis=1) if quality.halved else drawn
    return grown[: values.shape[0], : values.shape[1]]


def halve(values: Array) -> Array:
    """Means over 2×2; a last odd row or column is repeated."""
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _exact(values: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"shape": list(values.shape), "steps": 0, "data": text_of(data)}


class _Companded:
    """Encodes maps of pixels: the first by itself, others in the order of its steps where that is shorter."""

    def __init__(self, signed: bool, quality: Quality) -> None:
        self._signed, self._quality = signed, quality
        self._order: npt.NDArray[np.intp] | None = None
        self._smooth = False

    def __call__(self, values: Array) -> dict[str, Any]:
        values = halve(values) if self._quality.halved else values
        largest = float(np.abs(values).max())
        levels = compand(values, largest, self._signed, self._quality.steps)
        filtered_by, data = self._packed(levels)
        return {
            "shape": list(values.shape),
            "steps": self._quality.steps,
            "largest": largest,
            "signed": self._signed,
            "filter": filtered_by,
            "data": data,
        }

    def _packed(self, levels: Bytes) -> tuple[Filter | None, str]:
        """How the bytes are filtered, or None where they stand in the first map's order; and as text."""
        if self._order is None:
            self._order = np.argsort(levels, axis=None, kind="stable")
            kind, data = pack(levels)
            self._smooth = len(data) < SMOOTH * levels.size
            return kind, data
        ordered = None, pack_ordered(levels.ravel()[self._order])
        return min(pack(levels), ordered, key=lambda packed: len(packed[1])) if self._smooth else ordered
