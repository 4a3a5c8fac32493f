"""Guided Grad-CAM."""

from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.rules.relu import GUIDED
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.grad_cam import grad_cam
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Guided Grad-CAM",
    family=Family.GRADIENT,
    source="Selvaraju et al. 2017, arXiv:1610.02391, sect. 3.2",
    formula=r"R_{\text{guided}} \odot \operatorname{up}(L_{\text{Grad-CAM}})",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    color=True,
    preset="quick",
)
def guided_grad_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """Guided backpropagation, multiplied by Grad-CAM of the same class.

    The guided gradient of the target logit times Grad-CAM, upsampled (bilinear, align_corners=False); shown as
    the sum over the color channels and as a color picture.

    Args:
        targets: [N] class indices.
        layer: the layer of Grad-CAM; empty means the last features that reach the scores.

    Returns:
        [N, C, H, W] in squared logits per unit of the normalized input.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size, or there are activations other than ReLU.
    """
    guided = tape.gradients(targets, GUIDED).pixels
    coarse = grad_cam(tape, targets, layer=layer).unsqueeze(1)
    return guided * interpolate(coarse, size=guided.shape[2:], mode="bilinear", align_corners=False)
