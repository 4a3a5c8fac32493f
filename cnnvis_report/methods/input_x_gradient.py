"""Input × gradient."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Input × gradient",
    family=Family.GRADIENT,
    source="Shrikumar et al. 2016, arXiv:1605.01713",
    formula=r"x \odot \frac{\partial y}{\partial x}",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="quick",
)
def input_x_gradient(tape: Tape, targets: Tensor) -> Tensor:
    """What each pixel contributes to the class score, with the network linearized around this image.

    x * dy/dx, y the target logit and x the normalized image; shown as the sum over the color channels.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.
    """
    return tape.images * tape.gradients(targets).pixels
