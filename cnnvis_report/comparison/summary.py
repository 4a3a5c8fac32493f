"""What became of maps over all images, method by method."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnvis_report.evidence.paired import median_of
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod, Median

Rows = Sequence[tuple[float | None, ...]]  # of images, each with a number of each run


def medians(rows: Rows) -> tuple[Median | None, ...]:
    """The median of each column; None where no image counts."""
    columns = zip(*rows, strict=True)
    return tuple(median_of([value for value in column if value is not None]) for column in columns)


def summed_up(methods: Sequence[ComparedMethod], images: Sequence[ComparedImage]) -> tuple[ComparedMethod, ...]:
    """The methods that have maps of the compared images, with their figures over these."""
    bootstrap = Bootstrap()
    return tuple(
        _summed_up(method, images, bootstrap) for method in methods if any(method.key in image.keys for image in images)
    )


def _summed_up(method: ComparedMethod, images: Sequence[ComparedImage], bootstrap: Bootstrap) -> ComparedMethod:
    distances = medians([image.moved[method.key] for image in images if method.key in image.moved])
    rows = [image.mask_energy[method.key] for image in images if method.key in image.mask_energy]
    if not rows:
        return replace(method, moved=distances)
    energies = np.array([[np.nan if share is None else share for share in row] for row in rows])
    return replace(
        method,
        moved=distances,
        mask_energy=tuple(bootstrap.intervals(energies)),
        mask_energy_difference=tuple(bootstrap.intervals(energies[:, 1:] - energies[:, :1])),
    )
