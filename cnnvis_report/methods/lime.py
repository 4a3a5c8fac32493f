"""LIME."""

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign

WIDTH = 0.25
RIDGE = 1.0


@method(
    title="LIME",
    family=Family.PERTURBATION,
    source="Ribeiro et al. 2016, arXiv:1602.04938",
    sign=Sign.SIGNED,
    kind=Kind.AREA,
    batched_targets=True,
    preset="all",
    bounds={"segments": Between(1, 100_000), "samples": Between(2, 10_000_000)},
    notes={
        "baseline": "from {}",
        "segments": "{} segments",
        "samples": "{} samples",
        "surrogate_r2": "surrogate R² {}",
    },
    randomness=Randomness.SEED,
)
def lime(tape: Tape, targets: Tensor, *, segments: int = 50, samples: int = 500) -> Tensor:
    """What each superpixel adds to the class score, by a linear model of the score near the whole image.

    Minimises sum w (S(x z) - a - b z)^2 + b^2 over samples z, which keep each superpixel with probability 1/2 and make
    the others gray (0 after normalization), the first keeping all; S the target logit, w = exp(-(1 - cos(z, 1))^2 /
    0.25^2); the map is b. Superpixels by SLIC (compactness 10) on the image with each channel scaled to 0..1. The
    report states how much of the score's weighted variance the model explains.

    Args:
        targets: [N, K] class indices.
        segments: about how many superpixels.
        samples: how many images are scored.

    Returns:
        [N, K, H, W] in logits.

    Raises:
        NotApplicable: scikit-image isn't installed.
    """
    maps, counts, fits = [], [], []
    for place, image in enumerate(tape.images):
        labels = superpixels(image, segments)
        count = int(labels.max()) + 1
        kept = torch.rand(samples, count, generator=torch.Generator().manual_seed(tape.seed), dtype=torch.float32) < 0.5
        kept[0] = True
        design = kept.double()
        scores = scores_of_kept(tape, place, labels, kept)[:, targets[place].cpu()]
        coefficients, fit = _ridge(design, scores, _nearness(design))
        maps.append(coefficients.T[:, labels])
        counts.append(count)
        fits.append(fit)
    tape.note(baseline="gray", segments=torch.tensor(counts), samples=samples, surrogate_r2=torch.stack(fits))
    return torch.stack(maps).to(tape.images)


def superpixels(image: Tensor, segments: int) -> Tensor:
    """[H, W] on the CPU: the superpixel of each pixel, from 0.

    Raises:
        NotApplicable: scikit-image isn't installed.
    """
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise NotApplicable("needs scikit-image: pip install 'cnnvis-report[lime]'") from error
    pixels = image.cpu().float()  # always single precision, so that the borders don't hang on the last bits
    low, high = pixels.amin((1, 2), keepdim=True), pixels.amax((1, 2), keepdim=True)
    varies = beyond_rounding(high - low, torch.maximum(high.abs(), low.abs()))
    scaled = (pixels - low) * torch.where(varies, 1 / (high - low), 0.0)
    found = slic(scaled.permute(1, 2, 0).numpy(), n_segments=segments, compactness=10.0, channel_axis=-1)
    return torch.from_numpy(np.unique(found, return_inverse=True)[1].reshape(found.shape))


def scores_of_kept(tape: Tape, place: int, labels: Tensor, kept: Tensor) -> Tensor:
    """[M, classes] in double precision on the CPU: the scores of an image of which only some superpixels are kept.

    Args:
        labels: [H, W]. kept: [M, superpixels], true or false.
    """
    image = tape.images[place]
    flat, scores = labels.flatten().to(image.device), []
    for part in torch.split(kept.to(image), tape.capacity):
        masks = part.index_select(1, flat).view(-1, 1, *labels.shape)
        scores.append(tape.scores(masks * image))
    return torch.cat(scores).cpu().double()


def explained(scores: Tensor, predicted: Tensor, weights: Tensor) -> Tensor:
    """[K]: the share of the weighted variance of scores [M, K] that is predicted; 1 where there is none.

    Args:
        weights: [M, 1].
    """
    mean = (weights * scores).sum(dim=0) / weights.sum().clamp(min=1e-12)
    missed, whole = ((weights * (scores - other).square()).sum(dim=0) for other in (predicted, mean))
    return 1 - missed / whole.clamp(min=1e-12)


def _nearness(design: Tensor) -> Tensor:
    """[M, 1]: the weight of each sample; one without any superpixel is as far from the whole as can be."""
    distance = 1 - design.mean(dim=1, keepdim=True).sqrt()
    return (-(distance / WIDTH).square()).exp()


def _ridge(design: Tensor, scores: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """[superpixels, K], the coefficients of a weighted ridge regression with intercept, and its R² [K]."""
    center, mean = ((weights * values).sum(dim=0) / weights.sum() for values in (design, scores))
    features, rest = design - center, scores - mean
    normal = features.T @ (weights * features) + RIDGE * torch.eye(features.shape[1], dtype=features.dtype)
    coefficients = torch.linalg.solve(normal, features.T @ (weights * rest))
    return coefficients, explained(scores, features @ coefficients + mean, weights)
