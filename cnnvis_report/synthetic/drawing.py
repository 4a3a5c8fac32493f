"""One drawn picture with what is known of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Random = np.random.Generator
Cover = npt.NDArray[np.floating[Any]]  # [H, W] in 0…1: how much of each pixel something covers


@dataclass(frozen=True)
class Drawing:
    """A picture, the mask (white) of what decides its class, and the class.

    others: masks of what doesn't decide it, by name, such as "decoys".
    """

    picture: Image.Image
    mask: Image.Image
    target: int
    others: dict[str, Image.Image] = field(default_factory=dict)


def mask_of(cover: Cover) -> Image.Image:
    """White where more than half of a pixel is covered, black elsewhere."""
    return Image.fromarray(np.where(cover > 0.5, 255, 0).astype(np.uint8))
