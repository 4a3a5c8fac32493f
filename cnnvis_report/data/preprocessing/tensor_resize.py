"""Pictures at another size as torchvision resizes tensors of bytes, which isn't what Pillow gives to the last bit."""

import numpy as np
import torch
from PIL import Image

# Pillow's filters that torchvision has for tensors in every version
FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def resizes_tensors(picture: Image.Image, filter: Image.Resampling) -> bool:
    """Whether torchvision resizes such a picture as a tensor, with such a filter."""
    return picture.mode in ("L", "RGB") and filter in FILTERS


def resized_as_tensor(picture: Image.Image, size: tuple[int, int], filter: Image.Resampling) -> Image.Image:
    """The picture at another size (width, height), smoothed where it becomes smaller, rounded to bytes again."""
    from torchvision.transforms.v2 import InterpolationMode, functional  # takes a moment to import

    pixels = torch.from_numpy(np.array(picture))
    pixels = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()
    # Pillow takes the nearest pixel by its center, which only the exact of the two does
    mode = InterpolationMode.NEAREST_EXACT if filter is FILTERS[0] else InterpolationMode[filter.name]
    resized = functional.resize(pixels, [size[1], size[0]], interpolation=mode, antialias=True)
    return Image.fromarray(resized[0].numpy() if len(resized) == 1 else resized.permute(1, 2, 0).contiguous().numpy())
