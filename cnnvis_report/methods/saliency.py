"""Saliency."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Reduction, Sign


@method(
    title="Saliency",
    family=Family.GRADIENT,
    source="Simonyan et al. 2013, arXiv:1312.6034",
    formula=r"\max_c \lvert \frac{\partial y}{\partial x_c} \rvert",
    sign=Sign.POSITIVE,
    kind=Kind.PIXEL,
    reduction=Reduction.ABS_MAX,
    preset="quick",
    prominence=1,
)
def saliency(tape: Tape, targets: Tensor) -> Tensor:
    """How strongly the class score reacts to a small change of each pixel, in either direction.

    abs(dy/dx), y the target logit; shown as the largest value over the color channels.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits per unit of the normalized input, never negative.
    """
    return tape.gradients(targets).pixels.abs()
