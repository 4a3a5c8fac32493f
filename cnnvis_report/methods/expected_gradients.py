"""Expected gradients."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.options import Between
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
    notes={"draws": "{} draws", "baseline": "from {}"},
    randomness=Randomness.IMAGE,
)
def expected_gradients(tape: Tape, targets: Tensor, *, n: int = 32) -> Tensor:
    """What each pixel adds to the class score on the way from other images of the set to this one.

    Mean over n draws of (x - b) * dy/dx at b + a (x - b), b an image of the set, a uniform in 0..1, y the target
    logit. Its sum comes to y(x) - mean y(b) with many draws, and the report states by how much the sum misses it.
    Images of another size are resized (bilinear). Shown as the sum over the color channels.

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
    sums = [torch.zeros_like(images) for _ in range(targets.shape[1])]
    baseline_scores = torch.zeros_like(tape.logits)
    for drawn, shares in zip(*_draws(tape, n, len(others)), strict=True):
        start = others[drawn]
        difference = images - start
        between = tape.replay(start + shares.view(-1, 1, 1, 1) * difference)
        for sum_k, gradient in zip(sums, between.pixel_gradients(targets), strict=True):
            sum_k += difference * gradient / n
        baseline_scores += tape.scores(start) / n
    maps = torch.stack(sums, dim=1)
    rise = (tape.logits - baseline_scores).gather(1, targets)
    residual = (maps.sum((2, 3, 4)) - rise).abs() / rise.abs().clamp(min=1e-12)
    tape.note(baseline=f"{len(others)} images of the set", draws=n, residual=residual)
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
    """[n, N] indices below `among`, and [n, N] numbers in 0..1, by the seed and each image alone."""
    indices, shares = [], []
    for image in tape.images:
        generator = noise_generator(image, tape.seed)
        indices.append(torch.randint(among, (n,), generator=generator))
        shares.append(torch.rand(n, generator=generator, dtype=torch.float64))
    return torch.stack(indices, dim=1).to(tape.images.device), torch.stack(shares, dim=1).to(tape.images)
