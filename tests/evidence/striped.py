"""A small network that is trained in a moment on striped squares."""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy

from tests.networks import Tiny, seeded

SIDE, SQUARE = 40, 14
STRIPES = {"across": (1, 0), "checked": (1, 1), "down": (0, 1)}  # steps that turn dark into bright


def picture(number: int) -> tuple[Image.Image, Image.Image, str]:
    """A square of stripes on gray noise, its mask, and how they run, which is the class."""
    random = np.random.default_rng(number)
    pixels = np.repeat(random.integers(90, 160, (SIDE, SIDE, 1)), 3, axis=2)
    mask = np.zeros((SIDE, SIDE), bool)
    top, left = random.integers(0, SIDE - SQUARE, 2)
    mask[top : top + SQUARE, left : left + SQUARE] = True
    name = list(STRIPES)[number % len(STRIPES)]
    rows, columns = np.indices((SIDE, SIDE))
    bright = (rows * STRIPES[name][0] + columns * STRIPES[name][1]) % 2 == 1
    pixels[mask] = np.where(bright, 250, 5)[mask][:, None]
    return Image.fromarray(pixels.astype(np.uint8)), Image.fromarray(mask.astype(np.uint8) * 255), name


def trained() -> nn.Module:
    """Says how the stripes of a square run."""
    network = seeded(Tiny(len(STRIPES)))
    images = torch.stack([torch.tensor(np.array(picture(number)[0])).permute(2, 0, 1) for number in range(36)]) / 255
    labels = torch.arange(36) % len(STRIPES)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        cross_entropy(network((images - 0.5) / 0.25), labels).backward()
        optimizer.step()
    vars(network).update(class_names=tuple(STRIPES), size=SIDE, mean=(0.5,) * 3, std=(0.25,) * 3)
    return network
