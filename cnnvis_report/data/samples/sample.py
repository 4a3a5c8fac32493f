"""One sample, in whatever form a dataset gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnvis_report.errors import BadRequest

IMAGE_KEYS = ("pixel_values", "image", "img", "images", "x", "input", "inputs")
LABEL_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")


@dataclass(frozen=True)
class Sample:
    """One sample: the image as it was handed over, and its label, a number, a text or a row of zeros and ones."""

    image: Any
    label: Any = None


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
        return Sample(image, next((item[key] for key in LABEL_KEYS if key in item), None))
    if isinstance(item, list | tuple) and item and not isinstance(item, str):
        return Sample(item[0], item[1] if len(item) > 1 else None)
    return Sample(item)
