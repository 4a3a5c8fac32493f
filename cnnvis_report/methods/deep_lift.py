"""DeepLIFT."""

import torch
from torch import Tensor

from cnnvis_report.engine.rules.rescale import Rescale
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="DeepLIFT",
    family=Family.GRADIENT,
    source="Shrikumar et al. 2017, arXiv:1704.02685, sect. 3.5 (Rescale)",
    formula=r"(x - b) \odot m, \quad m_z = \frac{f(z) - f(z_b)}{z - z_b} m_{f(z)}",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    batched_targets=True,
    preset="all",
    notes={"baseline": "from {}"},
)
def deep_lift(tape: Tape, targets: Tensor) -> Tensor:
    """What each pixel contributes to the difference between the class score of this image and that of a black one.

    (x - b) * m, b black, m what the Rescale rule leaves at the pixels: an activation f passes on
    (f(z) - f(z_b)) / (z - z_b) in place of its slope, z_b what it reads for b; maxima, gates and norms pass on their
    differences likewise, and what is linear its gradient. Its sum is y(x) - y(b), y the target logit, and the report
    states by how much the sum misses it. Shown as the sum over the color channels.

    Args:
        targets: [N, K] class indices.

    Returns:
        [N, K, C, H, W] in logits.

    Raises:
        NotApplicable: an operation has no rule, such as a softmax inside the network.
    """
    black = tape.black.expand_as(tape.images)
    image, reference = (tape.replay(images, activation_inputs=True) for images in (tape.images, black))
    rule = Rescale(reference.recorded)
    multipliers = torch.stack([image.gradients(column, rule).pixels for column in targets.unbind(dim=1)], dim=1)
    maps = multipliers * (tape.images - black).unsqueeze(1)
    rise = (image.logits - reference.logits).gather(1, targets)
    residual = (maps.sum((2, 3, 4)) - rise).abs() / rise.abs().clamp(min=1e-12)
    tape.note(baseline=tape.color_name("black"), residual=residual)
    return maps
