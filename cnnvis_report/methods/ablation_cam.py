"""Ablation-CAM."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods._channels import top_channels
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign

AT_LEAST = 16  # values at a time: what comes before the layer runs once for all of them


@method(
    title="Ablation-CAM",
    family=Family.CAM,
    source="Desai & Ramaswamy 2020, doi:10.1109/WACV45572.2020.9093360",
    formula=r"L = \operatorname{ReLU}(\sum_k w_k A_k), \quad w_k = \frac{S - S_k}{\lvert S \rvert}",
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    batched_targets=True,
    preset="all",
    bounds={"max_channels": Between(0, 1_000_000)},
    effort={"low": {"max_channels": 64}, "medium": {"max_channels": 256}, "high": {"max_channels": 1024}},
    notes={"channels": "{} channels"},
)
def ablation_cam(tape: Tape, targets: Tensor, *, layer: str = "", max_channels: int = 0) -> Tensor:
    """Where those channels are active whose removal lowers the class score.

    L = relu(sum_k w_k A_k), w_k = (S - S_k) / abs(S), S the target logit and S_k what is left of it when channel k
    of the layer is 0.

    Args:
        targets: [N, K] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.
        max_channels: so many channels, those with the largest mean absolute activation; 0 means all.

    Returns:
        [N, K, h, w] at the layer's own size, in units of the layer's activations, never negative.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
        BadRequest: max_channels is negative.
    """
    activations = tape.layer(layer)
    chosen = top_channels(activations, max_channels)
    tape.note(channels=f"{chosen.shape[1]} of {activations.shape[1]}")
    scores = tape.logits.gather(1, targets)
    maps = []
    for index, (values, channels) in enumerate(zip(activations, chosen, strict=True)):
        ablated_scores = _without(tape, index, values, channels, layer)[:, targets[index]]
        weights = (scores[index] - ablated_scores) / scores[index].abs().clamp(min=1e-12)
        maps.append(torch.einsum("ck,chw->khw", weights, values[channels]).relu())
    return torch.stack(maps)


def _without(tape: Tape, index: int, values: Tensor, channels: Tensor, layer: str) -> Tensor:
    """[M, classes]: the scores of one image without each of the channels [M] of its values [K, h, w]."""
    scores = []
    for part in torch.split(channels, max(tape.capacity, AT_LEAST)):
        ablated = values.repeat(len(part), 1, 1, 1)
        ablated[torch.arange(len(part), device=part.device), part] = 0
        scores.append(tape.scores_from(index, ablated, layer))
    return torch.cat(scores)
