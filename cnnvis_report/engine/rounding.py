"""What is a difference between numbers, and what is only their rounding, which is another on every processor."""

import torch
from torch import Tensor

STEPS = 16  # of the precision


def beyond_rounding(difference: Tensor, size: Tensor) -> Tensor:
    """Whether what is left of numbers of that size is more than they round by."""
    return difference.abs() > STEPS * torch.finfo(difference.dtype).eps * size.abs()


def root_mean_square(values: Tensor) -> Tensor:
    """[N, 1, …]: of each of [N, …], also where squares would be too large or too small for the precision."""
    dims = tuple(range(1, values.ndim))
    largest = values.abs().amax(dims, keepdim=True)
    scaled = values / torch.where(largest > 0, largest, 1)
    return largest * scaled.square().mean(dims, keepdim=True).sqrt()
