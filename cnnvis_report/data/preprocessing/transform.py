"""A user's own function from a picture to what the network reads, in place of resizing, cropping and normalizing."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture


@dataclass(frozen=True)
class Transform:
    """A function that makes what the network reads from a picture.

    name: in words. apply: of a picture in `mode`; gives [C, H, W] float32, or raises UnusablePicture. reversible:
    whether (value - mean) / std, by the constants of the preprocessing, is what it does to each pixel's color.
    """

    name: str
    mode: str
    reversible: bool
    apply: Callable[[Image.Image], Tensor] = field(repr=False, compare=False)

    def of(self, picture: Image.Image) -> Tensor:
        """[C, H, W]: what the network reads.

        Raises:
            UnusablePicture: the function fails, or gives something else.
        """
        values = self.apply(picture if picture.mode == self.mode else picture.convert(self.mode))
        height, width = values.shape[1:]
        if height * width > MOST_PIXELS:
            raise UnusablePicture(f"its transform gives {width}×{height} pixels; at most {MOST_PIXELS:,} are taken")
        return values

    def of_mask(self, mask: Image.Image) -> npt.NDArray[np.bool_]:
        """H×W: where a mask (mode L) lies in what the network reads: it goes through the same function as a picture.

        Raises:
            UnusablePicture: white can't be told from black behind it.
        """
        marked = np.asarray(mask) > np.asarray(mask).max() / 2
        black, white = (Image.new("L", mask.size, value) for value in (0, 255))
        low, values, high = map(self.of, (black, Image.fromarray(np.uint8(255) * marked), white))
        span = (high - low).abs().sum(dim=0)
        if not bool(span.any()):
            raise UnusablePicture("its mask can't be followed through the transform, which takes black for white")
        inside: npt.NDArray[np.bool_] = ((values - low).abs().sum(dim=0) > span / 2).numpy()
        return inside


def shown_pixels(values: Tensor, restored: Tensor | None) -> npt.NDArray[np.uint8]:
    """What the network reads, [C, H, W], as H×W×3 (or H×W) bytes.

    Args:
        restored: the same in 0…1, where the normalization is known; otherwise values beyond 0…1 are scaled.
    """
    pixels = values if restored is None else restored
    if restored is None and not 0 <= float(values.min()) <= float(values.max()) <= 1:
        low, high = values.min(), values.max()
        pixels = (values - low) / (high - low).clamp_min(torch.finfo(values.dtype).tiny)
    if len(pixels) not in (1, 3):
        pixels = pixels.mean(dim=0, keepdim=True)
    bytes_: npt.NDArray[np.uint8] = (pixels * 255).round().to(torch.uint8).numpy()
    return bytes_[0] if len(bytes_) == 1 else np.ascontiguousarray(bytes_.transpose(1, 2, 0))
