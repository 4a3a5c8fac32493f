"""Maps as compact text that a page can carry, and that a script there turns back into numbers.

A coarse map travels as it is. A map of many pixels is heavy-tailed: equal steps would drop its faint parts, so the
square root of the values, sign kept, is cut into equal steps instead. Differences between neighbors, where they
have the lower entropy, and gzip do the rest.
"""

import gzip
from base64 import b64encode
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.methods import Array, Sign

EXACT_UP_TO = 1024  # values of a coarse map: 32×32 in full precision is 5.5 kB of text
EXACT_PIXELS_UP_TO = 256  # values of a map of pixels, of which small pictures with many classes have thousands

Bytes = npt.NDArray[np.uint8]


class Filter(IntEnum):
    """What a byte is counted from."""

    NONE = 0
    LEFT = 1
    UP = 2


@dataclass(frozen=True)
class Quality:
    """How finely the maps of a page are kept.

    bits: of each value of a map of pixels. halved: whether such maps are averaged over 2×2 first.
    """

    bits: int = 8
    halved: bool = False

    @property
    def error(self) -> float:
        """The largest difference between a value and what the page shows for it, as a share of the map's largest."""
        steps = 2 ** (self.bits - 1) - 1
        return (1 - (1 - 0.5 / steps) ** 2) if not self.halved else 1.0


# From the best that a site takes down to what still shows where a map is large.
QUALITIES = (Quality(8), Quality(6), Quality(6, halved=True))


def encode_map(values: Array, sign: Sign, quality: Quality, *, coarse: bool = True) -> dict[str, Any]:
    """A map [h, w] for a page; `coarse` where it is a layer's.

    Returns:
        "shape"; "code": 0 for exact single-precision numbers, else how many bits; "data": base64. With bits also
        "largest", the absolute value of the largest step; "signed"; "filter".
    """
    if values.size <= (EXACT_UP_TO if coarse else EXACT_PIXELS_UP_TO):
        data = np.ascontiguousarray(values, dtype="<f4").tobytes()
        return {"shape": list(values.shape), "code": 0, "data": b64encode(data).decode()}
    if quality.halved:
        values = halve(values)
    signed = sign is Sign.SIGNED
    largest = float(np.abs(values).max())
    steps = compand(values, largest, signed, quality.bits)
    kind, filtered = filter_bytes(steps)
    return {
        "shape": list(values.shape),
        "code": quality.bits,
        "largest": largest,
        "signed": signed,
        "filter": int(kind),
        "data": b64encode(gzip.compress(filtered.tobytes(), 6, mtime=0)).decode(),
    }


def compand(values: Array, largest: float, signed: bool, bits: int) -> Bytes:
    """Square roots in equal steps: 0 … 2^bits - 1, or 0 … 2^bits - 2 with 0 in the middle where `signed`."""
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    roots = np.sqrt(np.abs(values, dtype=np.float64) / (largest or 1.0))
    steps = np.rint(np.copysign(roots, values) * top if signed else roots * top)
    return np.asarray(steps + (top if signed else 0), dtype=np.uint8)


def expand(steps: Bytes, largest: float, signed: bool, bits: int) -> Array:
    """The inverse of `compand`, as the page computes it."""
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    roots = (steps.astype(np.float64) - (top if signed else 0)) / top
    return np.asarray(largest * roots * np.abs(roots), dtype=np.float32)


def filter_bytes(steps: Bytes) -> tuple[Filter, Bytes]:
    """Bytes counted from their left or upper neighbors, modulo 256, where that leaves less to say."""
    left, up = steps.copy(), steps.copy()
    left[:, 1:] -= steps[:, :-1]
    up[1:] -= steps[:-1]
    candidates = {Filter.NONE: steps, Filter.LEFT: left, Filter.UP: up}
    best = min(candidates, key=lambda kind: _entropy(candidates[kind]))
    return best, candidates[best]


def halve(values: Array) -> Array:
    """Means over 2×2; a last odd row or column is repeated."""
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _entropy(content: Bytes) -> float:
    """Bits a byte if neighbors had nothing to do with each other."""
    counts = np.bincount(content.ravel(), minlength=256)
    shares = counts[counts > 0] / content.size
    return float(-(shares * np.log2(shares)).sum())
