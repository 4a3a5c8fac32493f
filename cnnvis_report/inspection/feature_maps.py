"""Feature maps of a layer: stored in eight bits, summed up in one picture, and as the class scores they vote for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape

STEPS = 255


@dataclass(frozen=True)
class KeptMaps:
    """All channels of a layer for one image.

    steps: [K, h, w], 0 at a channel's lowest value and 255 at its highest. lowest, highest: [K].
    mean, relevance: [K], of the values; relevance is the sum of activation times gradient of the class score.
    """

    steps: npt.NDArray[np.uint8]
    lowest: npt.NDArray[np.float32]
    highest: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    relevance: npt.NDArray[np.float32]


def keep_maps(values: Tensor, gradient: Tensor | None, most: int) -> KeptMaps:
    """Feature maps [K, h, w] in eight bits; values are off by half a 255th of a channel's range at most.

    Args:
        gradient: [K, h, w], of a class score; relevance is 0 where it is None.
        most: larger sides are averaged down to this many positions first.
    """
    relevance = torch.zeros(len(values)) if gradient is None else (values * gradient).sum((1, 2))
    mean = values.mean((1, 2))
    small = shrunk(values, most).float().cpu()
    lowest, highest = small.amin((1, 2)), small.amax((1, 2))
    spread = torch.where(highest > lowest, highest - lowest, 1.0)[:, None, None]
    steps = ((small - lowest[:, None, None]) / spread * STEPS).round().to(torch.uint8)
    ends_and_orders = (values.float().cpu().numpy() for values in (lowest, highest, mean, relevance))
    return KeptMaps(steps.numpy(), *ends_and_orders)


def shrunk(values: Tensor, most: int) -> Tensor:
    """[K, h, w] with no side above `most`, by means over areas; the aspect is kept."""
    height, width = values.shape[1:]
    scale = min(1.0, most / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return values if size == (height, width) else adaptive_avg_pool2d(values[None], size)[0]


def layer_summary(values: Tensor) -> Tensor:
    """How far a layer's maps are from their means, position by position.

    s = mean over c of abs(f_c - mean f_c), then (s - min s) / (max s - min s); 0 everywhere where all are equal.
    Source: Jaso1024/VisualCNN.

    Args:
        values: [..., K, h, w].

    Returns:
        [..., h, w] in 0..1, at the layer's own size.
    """
    away = (values - values.mean((-2, -1), keepdim=True)).abs().mean(-3)
    low, high = away.amin((-2, -1), keepdim=True), away.amax((-2, -1), keepdim=True)
    varies = beyond_rounding(high - low, values.abs().amax((-3, -2, -1)).unsqueeze(-1).unsqueeze(-1))
    return (away - low) * (1 / (high - low)).where(varies, 0.0)


def class_maps(tape: Tape) -> Tensor:
    """[N, classes, h, w]: the score of every class at every position, before it is averaged over the image.

    L_c = sum_k w_kc A_k, A the maps that are averaged and w the weight of the layer that makes scores of the averages;
    the mean of a map is the logit without the bias. Source: Zhou et al. 2016, arXiv:1512.04150.

    Raises:
        NotApplicable: the network doesn't end in global average pooling.
    """
    maps, weight = tape.score_layer()
    return torch.einsum("ck,nkhw->nchw", weight, maps)
