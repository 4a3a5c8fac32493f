"""What pages show of maps beside one value a position, and so is kept of reduced ones: color pictures and bands."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import Array, Kind, MethodInfo

COLOR_CLIPPED_AT = 0.995

Pixels = npt.NDArray[np.uint8]


def color_pixels(values: Array) -> Pixels:
    """A pixel map [C, H, W] with its channels as colors: gray is zero, the ends are where 99.5 % of the values are.

    [H, W, 3], or [H, W] of a single channel.
    """
    sizes = np.abs(values)
    rank = math.ceil(COLOR_CLIPPED_AT * sizes.size) - 1
    end = float(np.partition(sizes, rank, axis=None)[rank]) or float(sizes.max()) or 1.0
    shares = np.clip(values / end, -1, 1).transpose(1, 2, 0)
    pixels: Pixels = np.floor((shares + 1) * 127.5 + 0.5).astype(np.uint8)
    return pixels if pixels.shape[2] == 3 else pixels[..., 0]


def first_of_bands(methods: Iterable[MethodInfo], image: ImageRecord) -> Iterator[tuple[MethodInfo, MapRecord]]:
    """The first map of each pixel method, with all channels, of the class that is explained first."""
    for method in methods:
        first = image.first_maps.get(method.name)
        if method.kind is Kind.PIXEL and first is not None and len(first.shape) == 3:
            yield method, first
