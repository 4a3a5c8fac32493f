"""A metric: how much a map changes from one position to the next."""

import numpy as np

from cnnvis_report.plugin import MapsOfImage, Scores, metric


@metric(
    title="Total variation",
    description="Mean absolute difference between neighboring positions, as a share of the map's range",
    higher_is_better=False,
)
def total_variation(sample: MapsOfImage) -> Scores:
    """Rudin et al. 1992, doi:10.1016/0167-2789(92)90242-F: its anisotropic form, of maps scaled to 0..1."""
    return Scores([relative_variation(values) for values in sample.maps])


def relative_variation(values: np.ndarray) -> float:
    """The mean absolute difference of neighbors in a map [h, w], over its range; 0 where it has a single value."""
    differences = np.concatenate([np.abs(np.diff(values, axis=axis)).ravel() for axis in (0, 1)])
    span = float(np.ptp(values))
    return float(differences.mean()) / span if span > 0 else 0.0
