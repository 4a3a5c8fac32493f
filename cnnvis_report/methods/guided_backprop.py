"""Guided backpropagation."""

from torch import Tensor

from cnnvis_report.engine.rules.relu import GUIDED
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Guided backpropagation",
    family=Family.GRADIENT,
    source="Springenberg et al. 2014, arXiv:1412.6806",
    formula=r"R_{\text{in}} = R_{\text{out}} \cdot 1[R_{\text{out}} > 0] \cdot 1[z > 0]",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    color=True,
    preset="quick",
)
def guided_backprop(tape: Tape, targets: Tensor) -> Tensor:
    """The gradient, where every active ReLU passes only positive signals back.

    R = R * 1[R > 0] * 1[z > 0] at each ReLU (and z < 6 at each ReLU6); shown as the sum over the color channels
    and as a color picture. Sharp, but it hardly depends on the class: much of it is an edge detector.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits per unit of the normalized input.

    Raises:
        NotApplicable: the network has activations other than ReLU, or no ReLU at all.
    """
    return tape.gradients(targets, GUIDED).pixels
