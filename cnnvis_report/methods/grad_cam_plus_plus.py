"""Grad-CAM++."""

import torch
from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Grad-CAM++",
    family=Family.CAM,
    source="Chattopadhyay et al. 2017, arXiv:1710.11063, eq. 19",
    formula=(
        r"L = \operatorname{ReLU}(\sum_k w_k A_k), \quad "
        r"w_k = \sum_{i, j} \frac{g^2}{2 g^2 + g^3 \sum_{i, j} A_k} \operatorname{ReLU}(g), \quad "
        r"g = \frac{\partial y}{\partial A_k}"
    ),
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    preset="quick",
)
def grad_cam_plus_plus(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """Grad-CAM that weighs each position of a channel, so that small and repeated objects count too.

    L = relu(sum_k w_k A_k), w_k = sum_ij a relu(g), a = g^2 / (2 g^2 + (sum_ij A) g^3), g = dy/dA, y the target
    logit; a is 0 where its denominator is.

    Args:
        targets: [N] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, h, w] at the layer's own size, in units of the layer's activations times logits, never negative.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    activations = tape.layer(layer)
    g = tape.gradients(targets).layer(layer)
    # g² is canceled, which keeps gradients of 1e-20 from vanishing when they are squared
    other = activations.sum(dim=(2, 3), keepdim=True) * g
    alpha = torch.where((g != 0) & beyond_rounding(2 + other, other), 1 / (2 + other), 0.0)
    weights = (alpha * g.relu()).sum(dim=(2, 3), keepdim=True)
    return (weights * activations).sum(dim=1).relu()
