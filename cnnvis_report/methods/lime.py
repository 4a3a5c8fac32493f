"""LIME."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods._sampling import note_standard_error
from cnnvis_report.methods._superpixels import coefficient_variances, masked_scores, r_squared, superpixels
from cnnvis_report.methods.options import STANDARD_ERROR, Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign

WIDTH = 0.25
RIDGE = 1.0


@method(
    title="LIME",
    family=Family.PERTURBATION,
    source="Ribeiro et al. 2016, arXiv:1602.04938",
    formula=(
        r"\min_{a, \beta} \sum_z w(z) (S(x_z) - a - \beta \cdot z)^2 + \lVert \beta \rVert^2, \quad "
        r"w(z) = \exp(-\frac{(1 - \cos(z, 1))^2}{0.25^2})"
    ),
    sign=Sign.SIGNED,
    kind=Kind.AREA,
    batched_targets=True,
    preset="all",
    bounds={"segments": Between(1, 100_000), "samples": Between(2, 10_000_000)},
    effort={"low": {"samples": 64}, "medium": {"samples": 128}, "high": {"samples": 384}},
    notes={
        "baseline": "from {}",
        "segments": "{} segments",
        "samples": "{} samples",
        "surrogate_r2": "surrogate R² {}",
        **STANDARD_ERROR,
    },
    randomness=Randomness.SEED,
)
def lime(tape: Tape, targets: Tensor, *, segments: int = 50, samples: int = 500) -> Tensor:
    """What each superpixel adds to the class score, by a linear model of the score near the whole image.

    Minimises sum w (S(x z) - a - b z)^2 + b^2 over samples z, which keep each superpixel with probability 1/2 and make
    the others gray (0 after normalization), the first keeping all; S the target logit, w = exp(-(1 - cos(z, 1))^2 /
    0.25^2); the map is b. Superpixels by SLIC (compactness 10) on the image with each channel scaled to 0..1. The
    report states how much of the score's weighted variance the model explains, and the standard error that the samples
    leave, as a share of the map's standard deviation.

    Args:
        targets: [N, K] class indices.
        segments: about how many superpixels.
        samples: how many images are scored.

    Returns:
        [N, K, H, W] in logits.

    Raises:
        NotApplicable: scikit-image isn't installed.
    """
    maps, variances, counts, fits = [], [], [], []
    for index, image in enumerate(tape.images):
        labels = superpixels(image, segments)
        count = int(labels.max()) + 1
        presence = (
            torch.rand(samples, count, generator=torch.Generator().manual_seed(tape.seed), dtype=torch.float32) < 0.5
        )
        presence[0] = True
        design = presence.double()
        scores = masked_scores(tape, index, labels, presence)[:, targets[index].cpu()]
        coefficients, variance, fit = _ridge(design, scores, _proximity(design))
        maps.append(coefficients.T[:, labels])
        variances.append(variance.T[:, labels])
        counts.append(count)
        fits.append(fit)
    tape.note(
        baseline=tape.color_name("gray"), segments=torch.tensor(counts), samples=samples, surrogate_r2=torch.stack(fits)
    )
    note_standard_error(tape, torch.stack(maps), torch.stack(variances))
    return torch.stack(maps).to(tape.images)


def _proximity(design: Tensor) -> Tensor:
    """[M, 1]: the weight of each sample; one without any superpixel is as far from the whole as can be."""
    distance = 1 - design.mean(dim=1, keepdim=True).sqrt()
    return (-(distance / WIDTH).square()).exp()


def _ridge(design: Tensor, scores: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[superpixels, K], the coefficients of a weighted ridge regression with intercept, their variances; R² [K]."""
    center, mean = ((weights * values).sum(dim=0) / weights.sum() for values in (design, scores))
    features, rest = design - center, scores - mean
    normal = features.T @ (weights * features) + RIDGE * torch.eye(features.shape[1], dtype=features.dtype)
    coefficients = torch.linalg.solve(normal, features.T @ (weights * rest))
    predicted = features @ coefficients + mean
    variances = coefficient_variances(features, weights, scores - predicted, torch.linalg.inv(normal))
    return coefficients, variances, r_squared(scores, predicted, weights)
