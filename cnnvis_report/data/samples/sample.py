"""One sample, in whatever form a dataset gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from cnnvis_report.errors import BadRequest

IMAGE_KEYS = ("pixel_values", "image", "img", "images", "x", "input", "inputs")
MASK_KEYS = ("mask", "masks", "segmentation_mask")
LABEL_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")


@dataclass(frozen=True)
class Sample:
    """One sample: the image as it was handed over, its label, a number, a text or a row of zeros and ones, its mask."""

    image: Any
    label: Any = None
    mask: Any = None


def sample_of(item: Any) -> Sample:
    """The image and the label in what a dataset gives for a number.

    Raises:
        BadRequest: a dictionary without an image.
    """
    if isinstance(item, Mapping):
        image = next((item[key] for key in IMAGE_KEYS if key in item), None)
        if image is None:
            keys = ", ".join(map(repr, item))
            raise BadRequest(f"A sample has {keys}, and none of {', '.join(map(repr, IMAGE_KEYS))}.")
        label, mask = (next((item[key] for key in keys if key in item), None) for keys in (LABEL_KEYS, MASK_KEYS))
        return Sample(image, label, mask)
    if isinstance(item, list | tuple) and item and not isinstance(item, str):
        mask = item[2] if len(item) > 2 and is_mask(item[2]) else None
        return Sample(item[0], item[1] if len(item) > 1 else None, mask)
    return Sample(item)


def is_mask(value: object) -> bool:
    """Whether something is H×W, or a picture."""
    if isinstance(value, Tensor | np.ndarray):
        return value.ndim == 2 or (value.ndim == 3 and value.shape[0] == 1)
    return isinstance(value, Image.Image)
