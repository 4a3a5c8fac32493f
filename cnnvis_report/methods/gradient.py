"""Gradient."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Gradient",
    family=Family.GRADIENT,
    source="Simonyan et al. 2013, arXiv:1312.6034",
    formula=r"\frac{\partial y}{\partial x}",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="quick",
)
def gradient(tape: Tape, targets: Tensor) -> Tensor:
    """How the class score changes when a pixel becomes a little brighter.

    dy/dx, y the target logit; shown as the sum over the color channels.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits per unit of the normalized input.
    """
    return tape.gradients(targets).pixels
