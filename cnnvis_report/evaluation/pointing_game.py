"""The pointing game: does a map's peak fall on what decides the class?"""

import numpy as np
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import MapsOfImage, Mask, Scores, metric
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.records.methods import Array


@metric(
    title="Pointing game",
    description="How often the map's peak lies in the ground-truth mask",
    higher_is_better=True,
    percent=True,
    needs_mask=True,
)
def pointing_game(given: MapsOfImage) -> Scores | None:
    """Zhang et al. 2016, arXiv:1608.00507, without a tolerance: 1 for a hit, 0 for a miss."""
    mask = given.mask
    return None if mask is None else Scores([float(peak_inside(values, mask)) for values in given.maps])


def peak_inside(values: Array, mask: Mask, tolerance: int = 0) -> bool:
    """Whether the largest value of a map lies on the mask, or near enough to it.

    A map of another size than the mask is upsampled (bilinear, align_corners=False), as the report shows it. A map
    without a peak, all of one value, points nowhere and misses; so does every map where the mask is empty.

    Args:
        values: [h, w], one value a position.
        mask: [H, W].
        tolerance: largest distance, in pixels of the mask and as the crow flies, at which the peak still hits.

    Raises:
        BadRequest: the tolerance is negative.

    Source: Zhang et al. 2016, arXiv:1608.00507, with a tolerance of 15 pixels.
    """
    if tolerance < 0:
        raise BadRequest(f"The pointing game needs a tolerance of 0 pixels or more, not {tolerance}.")
    if values.min() == values.max():
        return False
    shown = at_size(torch.from_numpy(values), mask.shape).numpy()
    top, left = np.unravel_index(int(shown.argmax()), mask.shape)
    rows, columns = mask.nonzero()
    return bool(((rows - top) ** 2 + (columns - left) ** 2 <= tolerance**2).any())
