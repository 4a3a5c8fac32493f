"""HiResCAM."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Equality, Family, Kind, Sign, Where


@method(
    title="HiResCAM",
    family=Family.CAM,
    source="Draelos & Carin 2020, arXiv:2011.08891",
    formula=r"L = \sum_k \frac{\partial y}{\partial A_k} \odot A_k",
    sign=Sign.SIGNED,
    kind=Kind.LAYER,
    preset="quick",
    equals=(Equality("cam", Where.AVERAGED, "the gradient is the weight of the channel at every position"),),
)
def hires_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """What each position of the layer contributes to the class score: activations times gradients, not averaged.

    L = sum_k g A_k, g = dy/dA_k, y the target logit. Before a linear end of the network it sums to the logit
    without the bias.

    Args:
        targets: [N] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, h, w] at the layer's own size, in logits.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    return (tape.gradients(targets).layer(layer) * tape.layer(layer)).sum(dim=1)
