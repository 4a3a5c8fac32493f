"""Deconvolutional network."""

from torch import Tensor

from cnnvis_report.engine.rules.relu import DECONVOLUTION
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Deconvnet",
    family=Family.GRADIENT,
    source="Zeiler & Fergus 2013, arXiv:1311.2901",
    formula=r"R_{\text{in}} = R_{\text{out}} \cdot 1[R_{\text{out}} > 0]",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    color=True,
    preset="quick",
)
def deconvnet(tape: Tape, targets: Tensor) -> Tensor:
    """The class score projected back to the pixels, each ReLU applied to the backward signal.

    R = R * 1[R > 0] at each ReLU, whatever it did on the way up; max-pooling through its switches. Shown as the
    sum over the color channels and as a color picture.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits per unit of the normalized input.

    Raises:
        NotApplicable: the network has activations other than ReLU, or no ReLU at all.
    """
    return tape.gradients(targets, DECONVOLUTION).pixels
