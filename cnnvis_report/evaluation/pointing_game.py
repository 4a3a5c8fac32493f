"""The pointing game: does a map's peak fall on what decides the class?"""

import numpy as np
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import MapsOfImage, Mask, Scores, metric
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricKind

TOLERANCE = 15 / 224  # of the image's shorter side: the 15 pixels of the paper, for the images of ImageNet networks


@metric(
    title="Pointing game",
    description="How often the map's peak lies in the ground-truth mask, or within 15 pixels of it at 224×224",
    higher_is_better=True,
    percent=True,
    needs_mask=True,
    kind=MetricKind.LOCALIZATION,
    source="Zhang et al. 2016, arXiv:1608.00507",
)
def pointing_game(sample: MapsOfImage) -> Scores:
    """Whether each map's peak lies near enough to the mask."""
    mask = sample.mask
    assert mask is not None  # it is asked where there is one
    area = within(mask, tolerance_of(mask))
    blind = "A peak hits wherever it lies" if area.all() else ""
    return Scores([peak_share(values, area) for values in sample.maps], blind=blind)


def tolerance_of(mask: Mask) -> float:
    """The largest distance from a mask [H, W], in its pixels, at which a peak still hits: 15 at 224×224."""
    return TOLERANCE * float(min(mask.shape))


def peak_share(values: Array, area: Mask) -> float:
    """1 where the largest value of a map lies in an area, 0 where it lies elsewhere.

    Where several pixels share the largest value, the share of them that lies in the area: what all choices among them
    give on average. So a map of a single value scores the area's share of the image, which is what chance gives. A map
    of another size than the area is upsampled (bilinear, align_corners=False), as the report shows it.

    Args:
        values: [h, w], one value a position.
        area: [H, W], a mask and what lies `within` the tolerance of it.

    Source: Zhang et al. 2016, arXiv:1608.00507.
    """
    shown = at_size(torch.from_numpy(values), area.shape).numpy()
    hits = area[shown == shown.max()]
    share: float = np.count_nonzero(hits) / hits.size
    return share


def within(mask: Mask, tolerance: float) -> Mask:
    """[H, W]: the mask and all pixels at most `tolerance` pixels away from it, as the crow flies.

    Its share of the image is how often a peak at a random place hits.

    Raises:
        BadRequest: the tolerance is negative.
    """
    if tolerance < 0:
        raise BadRequest(f"The pointing game needs a tolerance of 0 pixels or more, not {tolerance:g}.")
    height, width = mask.shape
    rows, far = np.arange(height)[:, None], 2 * (height + int(tolerance) + 1)
    above = np.maximum.accumulate(np.where(mask, rows, -far), axis=0)
    below = np.minimum.accumulate(np.where(mask, rows, far)[::-1], axis=0)[::-1]
    vertical = np.minimum(rows - above, below - rows) ** 2  # squared distance to the mask within a column
    near: Mask = np.zeros_like(mask)
    for shift in range(min(int(tolerance), width - 1) + 1):
        reached = vertical <= tolerance**2 - shift**2
        near[:, shift:] |= reached[:, : width - shift]
        near[:, : width - shift] |= reached[:, shift:]
    return near
