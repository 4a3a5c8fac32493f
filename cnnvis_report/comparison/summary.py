"""What became of maps over all images, method by method."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnvis_report.evidence.paired import median_of
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod, Median
from cnnvis_report.records.evidence import Interval

Intervals = tuple[Interval | None, ...]
Rows = Sequence[tuple[float | None, ...]]  # of images, each with a number of each run


def medians(rows: Rows) -> tuple[Median | None, ...]:
    """The median of each column; None where no image counts."""
    columns = zip(*rows, strict=True)
    return tuple(median_of([value for value in column if value is not None]) for column in columns)


def summed_up(methods: Sequence[ComparedMethod], images: Sequence[ComparedImage]) -> tuple[ComparedMethod, ...]:
    """The methods that have maps of the compared images, with their figures over these."""
    compared = [method for method in methods if any(method.key in image.keys for image in images)]
    energies = _energies([method.key for method in compared], images)
    return tuple(
        replace(
            method,
            moved=medians([image.moved[method.key] for image in images if method.key in image.moved]),
            mask_energy=energies[method.key][0],
            mask_energy_difference=energies[method.key][1],
        )
        for method in compared
    )


def _energies(keys: Sequence[str], images: Sequence[ComparedImage]) -> dict[str, tuple[Intervals, Intervals]]:
    """By method, the mean energy in the mask of each run, and how it differs from that of the first.

    All columns go through one bootstrap, which draws its resamples once.
    """
    masked = [image for image in images if image.mask_energy]
    if not masked:
        return dict.fromkeys(keys, ((), ()))
    runs = len(masked[0].ids)
    columns = []
    for key in keys:
        rows = [image.mask_energy.get(key, (None,) * runs) for image in masked]
        shares = np.array(rows, dtype=np.float64)  # None becomes nan
        columns += [shares, shares[:, 1:] - shares[:, :1]]
    intervals = Bootstrap().intervals(np.concatenate(columns, axis=1))
    starts = range(0, len(intervals), 2 * runs - 1)
    return {
        key: (tuple(intervals[start : start + runs]), tuple(intervals[start + runs : start + 2 * runs - 1]))
        for key, start in zip(keys, starts, strict=True)
    }
