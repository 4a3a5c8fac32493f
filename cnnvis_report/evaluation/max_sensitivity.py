"""Max-sensitivity: how far a map moves, at most, when the image changes by so little that nobody would see it."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.records.methods import Array

RADIUS = 0.02  # of the range from black to white: 5 of 255 levels
DRAWS = 10


def perturbed(image: Tensor, span: Tensor, generator: torch.Generator) -> Tensor:
    """Images [DRAWS, C, H, W] around an image, each value within RADIUS of its own, drawn uniformly.

    Args:
        image: [C, H, W], normalized. span: [C, 1, 1], from black to white, in the same units.
    """
    noise = 2 * torch.rand((DRAWS, *image.shape), generator=generator, dtype=torch.float64) - 1
    return image + (RADIUS * noise).to(image) * span.to(image)


def max_sensitivity(values: Array, others: Iterable[Array]) -> float | None:
    """The largest ||Phi(x + delta) - Phi(x)|| / ||Phi(x)|| over perturbations delta; Euclidean norms.

    Args:
        values: Phi(x), the map of the image. others: Phi(x + delta), those of the perturbed images, of the same shape.

    Returns:
        0 for maps that stay as they are; None where the map of the image is 0 everywhere and others aren't.

    Source: Yeh et al. 2019, arXiv:1901.09392, by Monte Carlo; relative to the norm, as in its experiments.
    """
    exact = values.astype(np.float64)
    distance = max((float(np.linalg.norm(other - exact)) for other in others), default=0.0)
    norm = float(np.linalg.norm(exact))
    if norm == 0:
        return None if distance else 0.0
    return distance / norm
