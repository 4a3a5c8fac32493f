"""XGrad-CAM."""

import torch
from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Equality, Family, Kind, Sign, Where


@method(
    title="XGrad-CAM",
    family=Family.CAM,
    source="Fu et al. 2020, arXiv:2008.02312",
    formula=(
        r"L = \operatorname{ReLU}(\sum_k w_k A_k), \quad "
        r"w_k = \frac{\sum_{i, j} g A_k}{\sum_{i, j} A_k}, \quad g = \frac{\partial y}{\partial A_k}"
    ),
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    preset="quick",
    equals=(Equality("grad_cam", Where.AVERAGED, "the gradient is the weight of the channel at every position"),),
)
def xgrad_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """Grad-CAM whose channel weights average the gradient where the channel is active.

    L = relu(sum_k w_k A_k), w_k = (sum_ij g A) / (sum_ij A), g = dy/dA, y the target logit; w is 0 for a channel
    that sums to 0.

    Args:
        targets: [N] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, h, w] at the layer's own size, in logit units, never negative.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    activations = tape.layer(layer)
    total = activations.sum(dim=(2, 3), keepdim=True)
    size = activations.abs().sum(dim=(2, 3), keepdim=True)
    weighted = (tape.gradients(targets).layer(layer) * activations).sum(dim=(2, 3), keepdim=True)
    weights = torch.where(beyond_rounding(total, size), weighted / total, 0.0)
    return (weights * activations).sum(dim=1).relu()
