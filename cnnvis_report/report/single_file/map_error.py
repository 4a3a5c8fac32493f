"""How far the maps of a page are from the stored ones, measured where no bound says it."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from cnnvis_report.records.methods import Kind
from cnnvis_report.report.pictures.encode import EXACT_PIXELS_UP_TO, EXACT_UP_TO, Quality, as_shown
from cnnvis_report.store.run_folder import StoredRun

IMAGES = 4  # whose maps are compared


@dataclass(frozen=True)
class MapError:
    """Differences between the values of maps and what a page draws, as shares of each map's largest value.

    mean: over all positions of all maps. largest: at any position.
    """

    mean: float
    largest: float


def map_error(run: StoredRun, quality: Quality) -> MapError | None:
    """What a quality costs the maps that aren't kept exactly, of the first images; None where there are none."""
    means, largest = [], 0.0
    for image in islice(run.images(), IMAGES):
        arrays = run.maps(image)
        for record in image.maps:
            method = run.record.method(record.method)
            values = method.shown(arrays[record.key].astype(np.float32, copy=False))
            coarse = method.kind is Kind.LAYER
            end = float(np.abs(values).max())
            if values.size <= (EXACT_UP_TO if coarse else EXACT_PIXELS_UP_TO) or not end:
                continue
            difference = np.abs(as_shown(values, method.shown_sign, quality) - values) / end
            means.append(float(difference.mean()))
            largest = max(largest, float(difference.max()))
    return MapError(sum(means) / len(means), largest) if means else None
