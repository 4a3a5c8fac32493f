"""Input × gradient."""

from torch import Tensor

from cnnvis_report.records import Kind, Sign
from cnnvis_report.registry import method
from cnnvis_report.tape import Tape


@method(
    title="Input × gradient",
    family="gradients",
    source="Shrikumar et al. 2016, arXiv:1605.01713",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    level="quick",
)
def input_x_gradient(tape: Tape, targets: Tensor) -> Tensor:
    """What each pixel adds to the class score where the network is taken as linear around this image.

    x * dy/dx, y the target logit and x the normalised image; shown as the sum over the colour channels.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.
    """
    return tape.images * tape.gradients(targets).pixels
