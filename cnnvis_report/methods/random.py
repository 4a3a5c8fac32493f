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
    sign=Sign.POSITIVE,
    kind=Kind.AREA,
    preset="quick",
    randomness=Randomness.IMAGE,
    baseline=True,
)
def random(tape: Tape, targets: Tensor) -> Tensor:
    """Noise that knows nothing of the image: the floor that every other method has to rise above.

    Uniform in 0..1, one value a pixel, another map for another class.

    Args:
        targets: [N] class indices.

    Returns:
        [N, H, W] in no unit.
    """
    size = tape.images.shape[2:]
    maps = []
    for image, target in zip(tape.images, targets.tolist(), strict=True):
        generator = noise_generator(image, tape.seed * 1009 + target)
        maps.append(torch.rand(size, generator=generator, dtype=image.dtype))
    return torch.stack(maps).to(tape.images.device)
