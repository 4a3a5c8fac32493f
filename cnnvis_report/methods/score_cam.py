"""Score-CAM."""

from collections import Counter

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods._channels import top_channels
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Score-CAM",
    family=Family.CAM,
    source="Wang et al. 2020, arXiv:1910.01279",
    formula=(
        r"L = \operatorname{ReLU}(\sum_k w_k A_k), \quad "
        r"w_k = \frac{\exp S(x \odot H_k)}{\sum_j \exp S(x \odot H_j)}"
    ),
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    batched_targets=True,
    preset="all",
    bounds={"max_channels": Between(0, 1_000_000)},
    effort={"low": {"max_channels": 16}, "medium": {"max_channels": 64}, "high": {"max_channels": 256}},
    notes={"channels": "{} channels"},
)
def score_cam(tape: Tape, targets: Tensor, *, layer: str = "", max_channels: int = 0) -> Tensor:
    """Where those channels are active that keep the class score high when the image is masked by them.

    L = relu(sum_k w_k A_k), w = softmax over k of S(x * H_k), H_k the channel A_k upsampled (bilinear,
    align_corners=False) and scaled to 0..1, 0 where A_k is constant; S the target logit, x the normalized image. The
    score of a baseline, which the paper subtracts from each S, cancels in the softmax.

    Args:
        targets: [N, K] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.
        max_channels: so many channels, those with the largest mean absolute activation; 0 means all.

    Returns:
        [N, K, h, w] at the layer's own size, in units of the layer's activations, never negative.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    activations = tape.layer(layer)
    chosen = top_channels(activations, max_channels)
    tape.note(channels=f"{chosen.shape[1]} of {activations.shape[1]}")
    count, per_image = chosen.shape
    ramps = [_ramp(*sides, activations) for sides in zip(activations.shape[2:], tape.images.shape[2:], strict=True)]
    scores = []
    buffer = tape.images.new_empty((tape.capacity, *tape.images.shape[1:]))
    for part in torch.split(torch.arange(count * per_image), tape.capacity):
        of_image = part // per_image
        masks = _masks(activations[of_image, chosen.flatten()[part]], *ramps)
        views = buffer[: len(part)]
        counts = Counter(of_image.tolist())
        by_image = (torch.split(whole, list(counts.values())) for whole in (masks, views))
        for index, image_masks, masked in zip(counts, *by_image, strict=True):
            torch.mul(image_masks.unsqueeze(1), tape.images[index], out=masked)
        scores.append(tape.scores(views, of_image).gather(1, targets[of_image]))
    weights = torch.cat(scores).view(count, per_image, -1).softmax(dim=1)
    channels = activations[torch.arange(count, device=chosen.device).unsqueeze(1), chosen]
    return torch.einsum("nck,nchw->nkhw", weights, channels).relu()


def _masks(channels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """[M, H, W] in 0..1 from [M, h, w]; by two products, which are faster than `interpolate`."""
    masks = torch.einsum("hy,mhw,wx->myx", rows, channels, columns)
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    spread = channels.amax((1, 2), keepdim=True) - channels.amin((1, 2), keepdim=True)
    varies = beyond_rounding(spread, channels.abs().amax((1, 2), keepdim=True))  # of masks rounding would decide
    return masks.sub_(low).mul_(torch.where(varies & (high > low), 1 / (high - low), 0.0))


def _ramp(length: int, side: int, like: Tensor) -> Tensor:
    """[length, side]: how much each of `length` values counts for each of `side` places, between two linearly."""
    by_image = torch.eye(length, dtype=like.dtype, device=like.device).unsqueeze(0)
    return interpolate(by_image, size=side, mode="linear", align_corners=False)[0]
