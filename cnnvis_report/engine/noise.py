"""Noise that belongs to an image: the same whatever its neighbors, its place in the batch and the device."""

from collections.abc import Iterator
from zlib import crc32

import torch
from torch import Tensor


def normal_noise(images: Tensor, seed: int, draws: int) -> Iterator[Tensor]:
    """So many draws of standard normal noise [N, C, H, W]."""
    generators = [noise_generator(image, seed) for image in images]
    for _ in range(draws):
        drawn = [torch.randn(images.shape[1:], generator=generator, dtype=images.dtype) for generator in generators]
        yield torch.stack(drawn).to(images.device)


def noise_generator(image: Tensor, seed: int) -> torch.Generator:
    """The source of an image's noise: the run's seed and the image's own values, and nothing else."""
    content = crc32(image.detach().cpu().contiguous().numpy().tobytes())
    return torch.Generator().manual_seed((seed * 1_000_003 + content) % 2**63)
