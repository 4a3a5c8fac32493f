"""Training pictures made a little different each time they are seen."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

Augment = Callable[[Tensor], Tensor]

GRAY = 127


def augmentation(level: str, size: tuple[int, int], *, deep: bool = False) -> Augment:
    """What changes a batch [N, C, H, W] of bytes, each picture on its own, by PyTorch's own random numbers.

    "d4" mirrors and turns by quarters: for what has no up, such as cells or fields from above.
    "light" moves, turns and zooms a little, brightens and darkens: few classes depend on these, so that it suits
    digits and drawings too.
    "strong" mirrors, turns, zooms, changes colors and covers up as well, as suits photographs.

    Args:
        deep: whether they are single precision in 0…1 in place of bytes.
    """
    if level == "none":
        return lambda pictures: pictures
    height, width = size
    if level == "d4":
        # with these two mirrors, a swap of the axes makes all eight positions of a square
        swap = v2.Lambda(lambda picture: picture.transpose(-1, -2))
        turns = [
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            *([v2.RandomApply([swap])] if height == width else []),
        ]
        return _each(v2.Compose(turns))
    gray = GRAY / 255 if deep else GRAY
    light = v2.ColorJitter(brightness=0.15, contrast=0.15)
    if level == "light":
        margin = [width // 6, height // 6]  # mirrored beyond the edge, so that nothing comes in from outside
        moved = v2.RandomAffine(7, (1 / 16, 1 / 16), (0.92, 1.08), interpolation=v2.InterpolationMode.BILINEAR)
        change = v2.Compose([v2.Pad(margin, padding_mode="reflect"), moved, v2.CenterCrop([height, width]), light])
    else:
        change = v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.RandomResizedCrop([height, width], scale=(0.5, 1.0), ratio=(0.8, 1.25), antialias=True),
                v2.RandomApply([v2.RandomRotation([-12, 12], v2.InterpolationMode.BILINEAR, fill=gray)], p=0.5),
                v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3),
                v2.RandomErasing(p=0.25, scale=(0.02, 0.15), value=gray),
            ]
        )
    return _each(change)


def _each(change: Augment) -> Augment:
    return lambda pictures: torch.stack([change(picture) for picture in pictures])
