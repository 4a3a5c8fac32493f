"""Labeled pictures for training: read once, and kept where they fit into memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.data.preprocessing.prepare import prepare, resized_pixels
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import RunFailed
from cnnvis_report.records.run import Skipped

KEPT_UP_TO = 3_000_000_000  # bytes of pictures; more are decoded anew in every epoch


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size with class indices [N].

    stored: [N, C, H, W], or None where they are decoded each time that they are wanted. deep: whether they are single
    precision in 0…1, as some have more than 8 bits a channel; else they are bytes.
    """

    items: tuple[ImageItem, ...]
    targets: Tensor
    preprocessing: Preprocessing
    stored: Tensor | None
    deep: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def part(self, indices: Sequence[int]) -> "Pictures":
        """The pictures at these places."""
        chosen = torch.tensor(list(indices), dtype=torch.long)
        stored = None if self.stored is None else self.stored[chosen]
        return replace(self, items=tuple(self.items[at] for at in indices), targets=self.targets[chosen], stored=stored)

    def read_as(self, preprocessing: Preprocessing) -> "Pictures":
        """The same with other constants or channels, of the same geometry."""
        stored = self.stored
        if stored is not None and preprocessing.channels != stored.shape[1]:
            stored = stored[:, :1] if preprocessing.channels == 1 else stored.expand(-1, preprocessing.channels, -1, -1)
        return replace(self, preprocessing=preprocessing, stored=stored)

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """[B, C, H, W] and targets [B], for each tensor of places; decoded while others are being used."""
        if self.stored is not None:
            for indices in order:
                yield self.stored[indices], self.targets[indices]
            return
        workers = processors(4)
        for indices, batch in zip(order, ahead(self._decoded, order, workers=workers, waiting=workers), strict=True):
            yield batch, self.targets[indices]

    def constants(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The mean and spread of the pixels, channel by channel, in 0…1; a channel of one value counts as spread."""
        count = 0
        total, squares = (torch.zeros(self.preprocessing.channels, dtype=torch.float64) for _ in range(2))
        for pictures, _ in self.batches(torch.arange(len(self)).tensor_split(1 + len(self) // 64)):
            pixels = in_unit_range(pictures, torch.float64)
            count += pixels.numel() // pixels.shape[1]
            total += pixels.sum(dim=(0, 2, 3))
            squares += pixels.square().sum(dim=(0, 2, 3))
        means = total / count
        spread = (squares / count - means.square()).clamp(min=0).sqrt()
        rounded = [[round(float(value), 4) for value in values] for values in (means, spread)]
        return tuple(rounded[0]), tuple(value if value > 0 else 1.0 for value in rounded[1])

    def _decoded(self, indices: Tensor) -> Tensor:
        pixels = [_read_again(self.items[at], self.preprocessing) for at in indices.tolist()]
        return torch.stack([in_unit_range(picture) for picture in pixels] if self.deep else pixels)


def in_unit_range(pixels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Pictures of a training in 0…1, which those that aren't bytes are already."""
    return pixels.to(dtype) if pixels.is_floating_point() else pixels.to(dtype).div(255)


def read_pictures(
    items: Sequence[ImageItem], preprocessing: Preprocessing, *, gray: bool | None, advance: Callable[[str], None]
) -> tuple[Pictures, list[Skipped]]:
    """All readable pictures, and the files that are no good.

    Args:
        preprocessing: its geometry counts; the constants are for later.
        gray: whether they are read as gray; None finds out whether all of them are.
        advance: told of each file.
    """
    wanted = preprocessing.with_channels(1 if gray else 3)
    stored = _room((len(items), wanted.channels, *(wanted.size or (1, 1))), torch.uint8)
    good: list[ImageItem] = []
    skipped: list[Skipped] = []
    colorless, deep = True, False
    workers = processors(4)
    tried = ahead(partial(_tried, preprocessing=wanted), items, workers=workers, waiting=32)
    for item, result in zip(items, tried, strict=True):
        advance(item.name)
        if isinstance(result, Skipped):
            skipped.append(result)
            continue
        if result.is_floating_point() and not deep:
            deep, stored = True, _deep_room(stored, len(good))
        if stored is not None:
            stored[len(good)] = in_unit_range(result) if deep else result
        good.append(item)
        colorless = colorless and _is_gray(result)
    targets = torch.tensor([item.label.index if item.label and item.label.index is not None else -1 for item in good])
    pictures = Pictures(tuple(good), targets, wanted, None if stored is None else stored[: len(good)], deep)
    if gray is None and colorless:
        pictures = pictures.read_as(preprocessing.with_channels(1))
    return pictures, skipped


def _room(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor | None:
    """Where pictures are kept; None where they would take too much memory."""
    return torch.empty(shape, dtype=dtype) if prod(shape) * dtype.itemsize <= KEPT_UP_TO else None


def _deep_room(stored: Tensor | None, count: int) -> Tensor | None:
    """The same for pictures of single precision, with those in it that are kept as bytes."""
    deep = None if stored is None else _room(tuple(stored.shape), torch.float32)
    if deep is not None and stored is not None:
        deep[:count] = in_unit_range(stored[:count])
    return deep


def _tried(item: ImageItem, preprocessing: Preprocessing) -> Tensor | Skipped:
    try:
        return _pixels(item, preprocessing)
    except UnusablePicture as error:
        return Skipped(item.name, str(error))


def _read_again(item: ImageItem, preprocessing: Preprocessing) -> Tensor:
    try:
        return _pixels(item, preprocessing)
    except UnusablePicture as error:
        raise RunFailed(f"{item.name}: could be read before, and now: {error}. What was trained is kept.") from error


def _pixels(item: ImageItem, preprocessing: Preprocessing) -> Tensor:
    """[C, H, W]: bytes, or single precision in 0…1 where the file has more than 8 bits a channel."""
    picture = item.open()
    if isinstance(picture, UprightPicture) and picture.deep:
        return resized_pixels(picture, preprocessing)[0]
    pixels = torch.from_numpy(np.array(prepare(picture, preprocessing).seen))
    return pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()


def _is_gray(pixels: Tensor) -> bool:
    return pixels.shape[0] == 1 or bool((pixels[0] == pixels[1]).all() and (pixels[1] == pixels[2]).all())
