"""Grad-CAM."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Grad-CAM",
    family=Family.CAM,
    source="Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2",
    formula=(
        r"L = \operatorname{ReLU}(\sum_k a_k A_k), \quad "
        r"a_k = \frac{1}{h w} \sum_{i, j} \frac{\partial y}{\partial A_{kij}}"
    ),
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    preset="quick",
    prominence=5,
)
def grad_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """Where those channels are active that raise the class score.

    L = relu(sum_k a_k A_k), a_k = mean over positions of dy/dA_k, y the target logit.

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
    weights = tape.gradients(targets).layer(layer).mean(dim=(2, 3), keepdim=True)
    return (weights * activations).sum(dim=1).relu()
