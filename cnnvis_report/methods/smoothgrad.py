"""SmoothGrad."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods._sampling import RunningMean, note_standard_error
from cnnvis_report.methods.options import STANDARD_ERROR, Between
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
    notes={"draws": "{} draws", "level": "noise {%}", **STANDARD_ERROR},
    randomness=Randomness.IMAGE,
    effort={"low": {"n": 3}, "medium": {"n": 8}, "high": {"n": 25}},
)
def smoothgrad(tape: Tape, targets: Tensor, *, n: int = 25, level: float = 0.15, variant: str = "mean") -> Tensor:
    """The gradient averaged over noisy copies of the image, which removes much of its noise from pixel to pixel.

    Mean over n draws of g = dy/dx at x + e, e ~ N(0, s^2), s = level * (max x - min x) of the image, y the target
    logit; shown as the largest absolute value over the color channels. "squared": mean of g^2. "vargrad": variance
    of g over the draws, sum (g - mean g)^2 / (n - 1). Draws of the mean come in pairs e, -e, which err less together.
    The report states the standard error: its root mean square as a share of the map's standard deviation.

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
    # the gradient at x - e errs less often the same way as that at x + e does; its squares don't
    signs = (1, -1) if variant == "mean" else (1,)
    means = [_VARIANTS[variant]() for _ in range(targets.shape[1])]
    noises = tape.noise(math.ceil(n / len(signs)))
    for count, noise in zip(range(n, 0, -len(signs)), noises, strict=True):
        gradients = _gradients(tape, targets, noise, level, signs[:count])
        for mean, of_class in zip(means, gradients.unbind(dim=1), strict=True):
            mean.add(of_class, weight=min(count, len(signs)))
    maps = torch.stack([mean.mean for mean in means], dim=1)
    tape.note(draws=n, level=level)
    note_standard_error(tape, maps, torch.stack([mean.variance for mean in means], dim=1))
    return maps


def _gradients(tape: Tape, targets: Tensor, noise: Tensor, level: float, signs: Sequence[int]) -> Tensor:
    """[N, K, C, H, W]: the mean gradient at the images with this noise added, by each of the signs."""
    images = tape.images
    deviation = level * (images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True))
    total = images.new_zeros((*targets.shape, *images.shape[1:]))
    for sign in signs:
        noisy = tape.replay(images + sign * deviation * noise)
        for k, column in enumerate(targets.unbind(dim=1)):
            total[:, k] += noisy.gradients(column).pixels
    return total / len(signs)


class _MeanSquare(RunningMean):
    """The mean of the squares of what is added."""

    def add(self, term: Tensor, weight: float = 1.0) -> None:
        """Count a draw in."""
        super().add(term.square(), weight)


class _Variance(RunningMean):
    """The variance of what is added, as the mean of squared distances of each draw from the mean of those before.

    With the right factors these are independent where draws are normal, and their mean is the variance itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before = RunningMean()

    def add(self, term: Tensor, weight: float = 1.0) -> None:
        """Count a draw in."""
        before = self._before.mean.clone() if self._before.terms else None
        self._before.add(term, weight)
        if before is not None:
            super().add((term - before) * (term - self._before.mean))


_VARIANTS = {"mean": RunningMean, "squared": _MeanSquare, "vargrad": _Variance}
