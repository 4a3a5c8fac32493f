"""SmoothGrad."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Reduction, Sign

VARIANTS = ("mean", "squared", "vargrad")


@method(
    title="SmoothGrad",
    family=Family.GRADIENT,
    source="Smilkov et al. 2017, arXiv:1706.03825; variants: Hooker et al. 2018, arXiv:1806.10758",
    formula=r"\frac{1}{n} \sum_{i = 1}^{n} \nabla y(x + e_i), \quad e_i \sim N(0, s^2)",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    reduction=Reduction.ABS_MAX,
    batched_targets=True,
    bounds={"n": Between(1, 100_000), "level": Between(0, 100), "variant": VARIANTS},
    notes={"draws": "{} draws", "level": "noise {%}"},
    randomness=Randomness.IMAGE,
)
def smoothgrad(tape: Tape, targets: Tensor, *, n: int = 25, level: float = 0.15, variant: str = "mean") -> Tensor:
    """The gradient averaged over noisy copies of the image, which takes out what flickers from pixel to pixel.

    Mean over n draws of g = dy/dx at x + e, e ~ N(0, s^2), s = level * (max x - min x) of the image, y the target
    logit; shown as the largest absolute value over the color channels. "squared": mean of g^2. "vargrad": variance
    of g over the draws, sum (g - mean g)^2 / (n - 1).

    Args:
        targets: [N, K] class indices.
        n: how many draws.
        level: the noise's standard deviation as a share of the image's range.
        variant: what is made of the draws: "mean", "squared" or "vargrad".

    Returns:
        [N, K, C, H, W] in logits per unit of the normalized input; the variants in squares of these, never negative.

    Raises:
        BadRequest: there is no variance of a single draw.
    """
    if variant == "vargrad" and n < 2:
        raise BadRequest(f"The variance of vargrad needs n of at least 2, not {n}.")
    tape.note(draws=n, level=level)
    mean, squares = _moments(tape, targets, n, level)
    if variant == "squared":
        return mean.square() + squares / n
    return squares / (n - 1) if variant == "vargrad" else mean


def _moments(tape: Tape, targets: Tensor, n: int, level: float) -> tuple[Tensor, Tensor]:
    """[N, K, C, H, W] each: the mean of the noisy gradients, and their summed squared distances from it."""
    images = tape.images
    deviation = level * (images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True))
    mean = images.new_zeros((*targets.shape, *images.shape[1:]))
    squares = torch.zeros_like(mean)
    for draw, noise in enumerate(tape.noise(n), start=1):
        noisy = tape.replay(images + deviation * noise)
        for k, gradient in enumerate(noisy.pixel_gradients(targets)):
            # a step at a time: a difference of two large sums would lose small variances
            difference = gradient - mean[:, k]
            mean[:, k] += difference / draw
            squares[:, k] += difference * (gradient - mean[:, k])
    return mean, squares
