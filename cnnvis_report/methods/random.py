"""Random."""

import torch
from torch import Tensor

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign


@method(
    title="Random",
    family=Family.BASELINE,
    source="no source: noise",
    formula=r"M_p \sim U(0, 1)",
    sign=Sign.POSITIVE,
    kind=Kind.AREA,
    preset="quick",
    randomness=Randomness.IMAGE,
    baseline=True,
)
def random(tape: Tape, targets: Tensor) -> Tensor:
    """Noise, independent of image and network: the baseline that every other method has to beat.

    Uniform in 0..1, one value per pixel, another map for another class.

    Args:
        targets: [N] class indices.

    Returns:
        [N, H, W] in no unit.
    """
    pairs = zip(tape.images, targets.tolist(), strict=True)
    return torch.stack([random_map(image, tape.seed * 1009 + target) for image, target in pairs])


def random_map(image: Tensor, seed: int) -> Tensor:
    """[H, W]: noise for an image [C, H, W], of the seed and the image alone."""
    noise = torch.rand(image.shape[1:], generator=noise_generator(image, seed), dtype=image.dtype)
    return noise.to(image.device)
