"""Superpixels, the scores of images that keep some of them, and how well a linear model of these scores fits."""

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable


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
    segmentation = slic(scaled.permute(1, 2, 0).numpy(), n_segments=segments, compactness=10.0, channel_axis=-1)
    return torch.from_numpy(np.unique(segmentation, return_inverse=True)[1].reshape(segmentation.shape))


def masked_scores(tape: Tape, index: int, labels: Tensor, presence: Tensor) -> Tensor:
    """[M, classes] in double precision on the CPU: the scores of an image of which only some superpixels are kept.

    Args:
        labels: [H, W]. kept: [M, superpixels], true or false.
    """
    image = tape.images[index]
    flat, scores = labels.flatten().to(image.device), []
    for part in torch.split(presence.to(image), tape.capacity):
        masks = part.index_select(1, flat).view(-1, 1, *labels.shape)
        scores.append(tape.scores(masks * image, torch.full((len(part),), index)))
    return torch.cat(scores).cpu().double()


def coefficient_variances(
    features: Tensor, weights: Tensor, residuals: Tensor, inverse: Tensor, together: int = 1
) -> Tensor:
    """[superpixels, K]: the variance over draws of coefficients of a weighted regression; NaN of too few samples.

    By the residuals themselves, whose size may differ from sample to sample, each divided by the square root of the
    share that its sample didn't fit itself.

    Args:
        features: [M, superpixels]. weights: [M, 1]. residuals: [M, K]. inverse: of the normal matrix.
        together: so many samples, one after the other, are one draw.
    """
    pull = weights * (features @ inverse)
    draws = torch.arange(len(features)) // together
    count = int(draws[-1]) + 1
    leverage = pull.new_zeros(count).index_add_(0, draws, (pull * features).sum(dim=1))
    moved = pull.new_zeros(count, *inverse.shape[1:], residuals.shape[1])
    moved.index_add_(0, draws, pull.unsqueeze(2) * residuals.unsqueeze(1))
    # a sample that the fit goes through says nothing of its error
    left = torch.where(leverage < 1 - 1e-6, 1 - leverage, float("nan"))
    return (moved.square() / left.view(-1, 1, 1)).sum(dim=0)


def r_squared(scores: Tensor, predicted: Tensor, weights: Tensor) -> Tensor:
    """[K]: the share of the weighted variance of scores [M, K] that is predicted; 1 where there is none.

    Args:
        weights: [M, 1].
    """
    mean = (weights * scores).sum(dim=0) / weights.sum().clamp(min=1e-12)
    missed, whole = ((weights * (scores - other).square()).sum(dim=0) for other in (predicted, mean))
    return 1 - missed / whole.clamp(min=1e-12)
