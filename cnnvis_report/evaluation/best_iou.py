"""Intersection over union of a map and a mask, at the threshold where it is largest."""

import numpy as np
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import Mask
from cnnvis_report.evaluation.relevance_mass import localization
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.records.methods import Array


@localization(
    name="best_iou",
    title="Best IoU",
    description="Largest intersection over union of the ground-truth mask with what the map shows above a threshold",
    source="Everingham et al. 2010, doi:10.1007/s11263-009-0275-4, the overlap; the threshold is the map's best",
)
def largest_iou(values: Array, mask: Mask) -> float:
    """The largest |S ∩ M| / |S ∪ M| of a mask M with S = {map ≥ t}, over all thresholds t, 0..1.

    Exact: every value of the map is a threshold, so pixels of one value are in S together. The least value as
    threshold takes the whole image, so no map falls below the mask's share of it; a map of a single value reaches just
    that, and so do random maps of many pixels. A map of another size than the mask is upsampled first (bilinear,
    align_corners=False).

    Args:
        values: [h, w], one value a position.
        mask: [H, W].

    Raises:
        BadRequest: the mask is empty.
    """
    if not mask.any():
        raise BadRequest("The mask is empty: there is nothing that a map could cover.")
    shown = at_size(torch.from_numpy(values), mask.shape).numpy().ravel()
    order = np.argsort(-shown, kind="stable")
    inside = np.cumsum(mask.ravel()[order])
    last_of_value = np.append(np.flatnonzero(np.diff(shown[order])), shown.size - 1)
    intersection = inside[last_of_value]
    union = last_of_value + 1 + inside[-1] - intersection
    return float((intersection / union).max())
