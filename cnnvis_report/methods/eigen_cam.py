"""Eigen-CAM."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Eigen-CAM",
    family=Family.CAM,
    source="Muhammad & Yeasin 2020, arXiv:2008.00299",
    formula=r"L = \sum_k v_k A_k",
    sign=Sign.SIGNED,
    kind=Kind.LAYER,
    batched_targets=True,
    class_agnostic=True,
)
def eigen_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """The layer's activations projected onto their first principal component; the map is the same for every class.

    L = sum_k v_k A_k, v the first singular vector over channels of A as a (channels × positions) matrix, not
    centered; its sign is the one with sum_ij L (mean_k A_k) >= 0, so that L is never negative where A is not.

    Args:
        targets: [N, K] class indices; the maps don't depend on them.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, K, h, w] at the layer's own size, in units of the layer's activations.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    activations = tape.layer(layer)
    flat = activations.flatten(2)
    largest = flat.abs().amax((1, 2), keepdim=True)
    flat = flat / torch.where(largest > 0, largest, 1)  # squares of what is very small, or large, have no precision
    along = _projection(flat)
    against = (along * flat.mean(dim=1)).sum(dim=1, keepdim=True) < 0
    maps = (largest[:, 0] * torch.where(against, -along, along)).view(len(flat), 1, *activations.shape[2:])
    return maps.expand(-1, targets.shape[1], -1, -1)


def _projection(flat: Tensor) -> Tensor:
    """[N, P]: the columns of [N, K, P] along its first left singular vector, up to sign."""
    channels, positions = flat.shape[1:]
    if channels <= positions:
        return (_first(flat @ flat.mT).unsqueeze(1) @ flat).squeeze(1)
    right = _first(flat.mT @ flat)
    return right * (flat @ right.unsqueeze(2)).square().sum(dim=1).sqrt()


def _first(gram: Tensor) -> Tensor:
    """[N, D]: the eigenvector of the largest eigenvalue of symmetric [N, D, D]."""
    # not every device has this decomposition, and the matrix is small
    _, vectors = torch.linalg.eigh(gram.cpu())
    first: Tensor = vectors[..., -1]
    return first.to(gram.device)
