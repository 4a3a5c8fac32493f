"""Integrated gradients."""

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Integrated gradients",
    family=Family.GRADIENT,
    source="Sundararajan et al. 2017, arXiv:1703.01365",
    formula=r"(x - b) \odot \int_0^1 \nabla y(b + a (x - b)) \, d a",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    batched_targets=True,
    prominence=2,
    bounds={"steps": Between(1, 2_000)},
    notes={"steps": "{} steps", "baseline": "from {}"},
    effort={"low": {"steps": 3}, "medium": {"steps": 8}, "high": {"steps": 32}},
)
def integrated_gradients(tape: Tape, targets: Tensor, *, steps: int = 32) -> Tensor:
    """What each pixel contributes to the class score along the path from a black image to this one.

    (x - b) * integral over a in 0..1 of dy/dx at b + a (x - b), b black, y the target logit, by Gauss-Legendre
    quadrature; its sum is y(x) - y(b), and the report states by how much the sum misses it. Shown as the sum
    over the color channels.

    Args:
        targets: [N, K] class indices.
        steps: nodes of the quadrature.

    Returns:
        [N, K, C, H, W] in logits.
    """
    black = tape.black.expand_as(tape.images)
    difference = tape.images - black
    sums = [torch.zeros_like(difference) for _ in range(targets.shape[1])]
    for node, weight in zip(*np.polynomial.legendre.leggauss(steps), strict=True):
        between = tape.replay(black + (node + 1) / 2 * difference)
        for k, sum_k in enumerate(sums):
            sum_k += weight / 2 * between.gradients(targets[:, k]).pixels
    maps = torch.stack(sums, dim=1) * difference.unsqueeze(1)
    rise = (tape.logits - tape.scores(black)).gather(1, targets)
    residual = (maps.sum((2, 3, 4)) - rise).abs() / rise.abs().clamp(min=1e-12)
    tape.note(baseline=tape.color_name("black"), steps=steps, residual=residual)
    return maps
