"""The pointing game: does a map's peak fall on what decides the class?"""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import interpolate

from cnnvis_report.records import Array


def peak_inside(values: Array, mask: npt.NDArray[np.bool_]) -> bool:
    """Whether the largest value of a map lies on the mask, with no tolerance around it.

    A map of another size than the mask is upsampled (bilinear, align_corners=False), as the report shows it. A map
    without a peak, all of one value, points nowhere and misses.

    Args:
        values: [h, w], one value a position.
        mask: [H, W].

    Source: Zhang et al. 2016, arXiv:1608.00507.
    """
    if values.min() == values.max():
        return False
    if values.shape != mask.shape:
        grown = interpolate(torch.from_numpy(values)[None, None], size=mask.shape, mode="bilinear", align_corners=False)
        values = grown[0, 0].numpy()
    return bool(mask.flat[int(values.argmax())])
