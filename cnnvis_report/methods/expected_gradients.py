"""Expected gradients."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods._sampling import RunningMean, note_standard_error
from cnnvis_report.methods.options import STANDARD_ERROR_AT_MOST, Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign


@method(
    title="Expected gradients",
    family=Family.GRADIENT,
    source="Erion et al. 2019, arXiv:1906.10670",
    formula=r"\frac{1}{n} \sum_{b, a} (x - b) \odot \nabla y(b + a (x - b)), \quad a \sim U(0, 1)",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    batched_targets=True,
    preset="all",
    bounds={"n": Between(1, 100_000)},
    notes={"draws": "{} draws", "baseline": "from {}", **STANDARD_ERROR_AT_MOST},
    randomness=Randomness.IMAGE,
    effort={"low": {"n": 3}, "medium": {"n": 8}, "high": {"n": 24}},
)
def expected_gradients(tape: Tape, targets: Tensor, *, n: int = 32) -> Tensor:
    """What each pixel contributes to the class score, averaged over paths from other images of the set to this one.

    Mean over n draws of (x - b) * dy/dx at b + a (x - b), b an image of the set, a uniform in 0..1, y the target
    logit; every image is drawn once before one is drawn again, and one a lies in each n-th part of 0..1. Its sum comes
    to y(x) - mean y(b) with many draws, and the report states by how much the sum misses it. The standard error is that
    of independent draws, which these draws stay below. Images of another size are resized (bilinear). Shown as the sum
    over the color channels.

    Args:
        targets: [N, K] class indices.
        n: how many draws.

    Returns:
        [N, K, C, H, W] in logits.

    Raises:
        NotApplicable: there is no other image to compare with.
    """
    others = _others(tape)
    images = tape.images
    means = [RunningMean() for _ in range(targets.shape[1])]
    baseline_scores = torch.zeros_like(tape.logits)
    for drawn, shares in zip(*_draws(tape, n, len(others)), strict=True):
        start = others[drawn]
        difference = images - start
        between = tape.replay(start + shares.view(-1, 1, 1, 1) * difference)
        for mean, column in zip(means, targets.unbind(dim=1), strict=True):
            mean.add(difference * between.gradients(column).pixels)
        baseline_scores += tape.scores(start) / n
    maps = torch.stack([mean.mean for mean in means], dim=1)
    rise = (tape.logits - baseline_scores).gather(1, targets)
    residual = (maps.sum((2, 3, 4)) - rise).abs() / rise.abs().clamp(min=1e-12)
    tape.note(baseline=f"{len(others)} images of the set", draws=n, residual=residual)
    note_standard_error(tape, maps, torch.stack([mean.variance for mean in means], dim=1))
    return maps


def _others(tape: Tape) -> Tensor:
    """[M, C, H, W]: the images to compare with, at the size of those that are explained."""
    reference, images = tape.reference.images, tape.images
    others = reference.to(images)
    if others.shape[2:] != images.shape[2:]:
        others = interpolate(others, size=images.shape[2:], mode="bilinear", align_corners=False)
    # a tape that was given no set, as in a rehearsal, has its own images in place of one
    if reference is not images and len(others) == 1 and bool((others == images).all()):
        raise NotApplicable("needs other images to compare with; the set has one")
    return others


def _draws(tape: Tape, n: int, among: int) -> tuple[Tensor, Tensor]:
    """[n, N] indices below `among`, and [n, N] numbers in 0..1, by the seed and each image alone.

    All of the images come before one comes again, and one number lies in each of n parts of 0..1: means over such
    draws err less than over independent ones.
    """
    indices, shares = [], []
    for image in tape.images:
        generator = noise_generator(image, tape.seed)
        rounds = [torch.randperm(among, generator=generator) for _ in range(math.ceil(n / among))]
        indices.append(torch.cat(rounds)[:n])
        parts = torch.randperm(n, generator=generator) + torch.rand(n, generator=generator, dtype=torch.float64)
        shares.append(parts / n)
    return torch.stack(indices, dim=1).to(tape.images.device), torch.stack(shares, dim=1).to(tape.images)
