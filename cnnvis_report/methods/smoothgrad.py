"""SmoothGrad."""

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.records import Kind, Reduction, Sign
from cnnvis_report.registry import method
from cnnvis_report.tape import Tape


@method(
    title="SmoothGrad",
    family="gradients",
    source="Smilkov et al. 2017, arXiv:1706.03825",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    reduction=Reduction.ABS_MAX,
    together=True,
)
def smoothgrad(tape: Tape, targets: Tensor, *, n: int = 25, level: float = 0.15) -> Tensor:
    """The gradient averaged over noisy copies of the image, which takes out what flickers from pixel to pixel.

    Mean over n draws of dy/dx at x + e, e ~ N(0, s^2), s = level * (max x - min x) of the image, y the target
    logit; shown as the largest absolute value over the colour channels.

    Args:
        targets: [N, K] class indices.
        n: how many draws.
        level: the noise's standard deviation as a share of the image's range.

    Returns:
        [N, K, C, H, W] in logits per unit of the normalised input.

    Raises:
        BadRequest: n is below 1 or level is negative.
    """
    if n < 1 or level < 0:
        raise BadRequest(f"smoothgrad needs n of at least 1 and a level of at least 0, not n={n}, level={level}.")
    tape.note(draws=n, level=level)
    images = tape.images
    spread = level * (images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True))
    total = [torch.zeros_like(images) for _ in range(targets.shape[1])]
    for noise in tape.noise(n):
        noisy = tape.replay(images + spread * noise)
        for k, sum_k in enumerate(total):
            sum_k += noisy.gradients(targets[:, k]).pixels
    return torch.stack(total, dim=1) / n
