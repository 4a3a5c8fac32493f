"""FullGrad."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign

COMPLETE = 0.01  # of the score; what is off by more has constants that nobody can see


@method(
    title="FullGrad",
    family=Family.GRADIENT,
    source="Srinivas & Fleuret 2019, arXiv:1905.00780, eq. 4 and 8",
    formula=r"\psi(x \odot \frac{\partial y}{\partial x}) + \sum_l \psi(b_l \odot \frac{\partial y}{\partial b_l})",
    sign=Sign.POSITIVE,
    kind=Kind.AREA,
    preset="all",
)
def full_grad(tape: Tape, targets: Tensor) -> Tensor:
    """How much pixels and the biases inside the network contribute to the class score, by position.

    psi(x * dy/dx) + sum over operations of psi(b * dy/db), summed over channels; b are biases, shifts of batch norms
    and what curved activations leave over, psi is the absolute value, scaled to 0..1 over all channels and places of
    an operation, upsampled (bilinear). Before psi all parts together give the target logit y; the report states
    by how much they miss it.

    Args:
        targets: [N] class indices.

    Returns:
        [N, H, W] in no unit.

    Raises:
        NotApplicable: an operation has a constant part that isn't known, or the parts miss the score by more than 1 %.
    """
    size = (tape.images.shape[2], tape.images.shape[3])
    parts = tape.images * tape.gradients(targets).pixels
    total, maps = parts.sum((1, 2, 3), dtype=torch.float64), _seen(parts, size)

    def take(part: Tensor) -> None:
        nonlocal total, maps
        part = part.to(tape.images.dtype)  # an operation may be of half precision
        total = total + part.flatten(1).sum(1, dtype=torch.float64)
        if part.ndim == 4 and part.shape[2] * part.shape[3] > 1:
            maps = maps + _seen(part, size)

    tape.bias_terms(targets, take)
    score = tape.logits.gather(1, targets.unsqueeze(1))[:, 0]
    residual = (total - score).abs() / score.abs().clamp(min=1e-12)
    tape.note(residual=residual)
    if bool(((total - score).abs() > COMPLETE * tape.logits.abs().amax(1).clamp(min=1e-6)).any()):
        raise NotApplicable(
            f"its parts miss the score by {float(residual.max()):.1%}: the network adds unseen constants"
        )
    return maps


def _seen(part: Tensor, size: tuple[int, int]) -> Tensor:
    """psi, summed over channels: [N, H, W]."""
    strength = part.abs()
    low, high = strength.amin((1, 2, 3), keepdim=True), strength.amax((1, 2, 3), keepdim=True)
    varies = beyond_rounding(high - low, high)
    strength = (strength - low) * torch.where(varies, 1 / (high - low), 0.0)
    return interpolate(strength.sum(1, keepdim=True), size=size, mode="bilinear", align_corners=False)[:, 0]
