"""The maps of single bands, side by side in one picture a method."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import Array, MethodInfo, Sign
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.drawing import Look
from cnnvis_report.report.pictures.palettes import colors, limit
from cnnvis_report.report.pictures.resample import Growth, resize
from cnnvis_report.report.pictures.thumbnails import FAST, Pictures, Pixels, webp
from cnnvis_report.store.array_files.reduced import first_of_bands

SIDE = 112  # pixels of a map's longer side
QUALITY = 60  # of WebP

Arrays = Mapping[str, npt.NDArray[Any]]


def band_maps(run: RunRecord, image: ImageRecord) -> Iterator[tuple[MethodInfo, MapRecord]]:
    """The first map of each pixel method, of the class that is explained first; none of gray and color pictures."""
    if run.network.bands is not None:
        yield from first_of_bands(run.methods, image)


def band_pictures(run: RunRecord, image: ImageRecord, arrays: Arrays) -> Pictures:
    """By name: of each pixel method, what all bands come to on a scale of its own, then each band on one scale."""
    for method, record in band_maps(run, image):
        values = arrays[record.key].astype(np.float32, copy=False)
        together = _drawn(method.shown(values), method.shown_sign, None)
        end = limit(values, clipped=True)
        cells = [together, *(_drawn(band, method.sign, end) for band in values)]
        yield f"bands-{method.name}", webp(np.hstack(cells), quality=QUALITY, lossless_up_to=0, method=FAST)


def band_shares(values: Array) -> list[float]:
    """What each band of a map [C, H, W] has of the sum of absolute values; 0 where all are zero."""
    sums = np.abs(values, dtype=np.float64).sum(axis=(1, 2))
    return [float(share) for share in sums / (sums.sum() or 1.0)]


def _drawn(values: Array, sign: Sign, end: float | None) -> Pixels:
    """A map [h, w] in its colors, at the size of a cell; white is zero where it has both signs."""
    look = Look()
    end = limit(values, clipped=True) if end is None else end
    height, width = values.shape
    scale = SIDE / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    middle = look.background if sign is Sign.SIGNED else None
    drawn = colors(values, end, sign, look.palette(sign), middle).astype(np.float64)
    return np.asarray(np.floor(np.clip(resize(drawn, size, Growth.NEAREST), 0, 255) + 0.5), dtype=np.uint8)
