"""Images in batches: decoded while the device is busy with those before, and never more than two batches in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.decoding.upright_picture import NOTE
from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.prefetch import ahead
from cnnvis_report.data.preprocessing.geometry import fit, whole_picture
from cnnvis_report.data.preprocessing.prepare import Picture, prepare
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import RunFailed
from cnnvis_report.records.run import Skipped


@dataclass(frozen=True)
class DecodedImage:
    """One decoded image; the mask, where there is one, has the size of the picture that the network sees.

    content: a digest of what was decoded, which may not be what the file holds by now.
    """

    item: ImageItem
    picture: Picture
    mask: npt.NDArray[np.bool_] | None
    content: str = ""


@dataclass(frozen=True)
class Batch:
    """Images of one size."""

    ready: tuple[DecodedImage, ...]

    @property
    def images(self) -> Tensor:
        """[N, C, H, W] on the CPU."""
        return torch.stack([decoded.picture.values for decoded in self.ready])

    @property
    def halves(self) -> tuple["Batch", "Batch"]:
        """The first images and the others."""
        middle = len(self.ready) // 2
        return Batch(self.ready[:middle]), Batch(self.ready[middle:])


def read_item(item: ImageItem, preprocessing: Preprocessing) -> DecodedImage | Skipped:
    """Decode one image; a file that is no good gives its reason."""
    try:
        picture = prepare(item.open(), preprocessing)
        mask = None
        if item.mask is not None:
            drawn = whole_picture(item.mask()).convert("L")
            _check_mask(item, drawn, picture)
            mask = _fitted_mask(drawn, preprocessing)
            notes = picture.note, str(drawn.info.get(NOTE, ""))
            picture = replace(picture, note="; ".join(filter(None, notes)))
    except UnusablePicture as error:
        return Skipped(item.name, str(error), item.fingerprint)
    return DecodedImage(item, picture, mask, item.fingerprint)


def _check_mask(item: ImageItem, drawn: Image.Image, picture: Picture) -> None:
    """Refuse a mask that can't be the image's."""
    if (drawn.height, drawn.width) != tuple(picture.original):
        sizes = ["×".join(map(str, size)) for size in ((drawn.height, drawn.width), picture.original)]
        raise UnusablePicture(f"its mask is {sizes[0]}, and the image {sizes[1]} (height by width)")
    contents = [file.digest() for file in item.files]
    if len(contents) == 2 and contents[0] == contents[1]:
        raise UnusablePicture("its mask is the image itself")


def _fitted_mask(drawn: Image.Image, preprocessing: Preprocessing) -> npt.NDArray[np.bool_]:
    """A mask at the size, and cut, as the picture that the network sees."""
    if preprocessing.transform is not None:
        return preprocessing.transform.of_mask(drawn)
    values = np.asarray(fit(drawn, preprocessing, Image.Resampling.NEAREST))
    mask: npt.NDArray[np.bool_] = values > np.asarray(drawn).max() / 2  # some programs write 255 for it, some 1
    return mask


def first_usable(images: ImageSet, preprocessing: Preprocessing) -> DecodedImage | Skipped:
    """The first image that can be decoded, or why the first of all can't."""
    failure = None
    for item in images:
        result = read_item(item, preprocessing)
        if isinstance(result, DecodedImage):
            return result
        failure = failure or result
    return failure or Skipped("", "no image")


def batches(
    images: ImageSet, preprocessing: Preprocessing, size: int, skipped: list[Skipped], shard_size: int | None = None
) -> Iterator[Batch]:
    """Batches of at most `size` images in the set's order, a new one where the picture's size changes.

    Files that are no good are appended to `skipped`.

    Args:
        shard_size: how many consecutive images of the set, whether they are any good or not, are a shard; no batch has
            images of two.
    """
    waiting: list[DecodedImage] = []
    decode = partial(read_item, preprocessing=preprocessing)
    for position, result in enumerate(ahead(decode, images, workers=1, waiting=size)):
        if waiting and shard_size is not None and position % shard_size == 0:
            yield Batch(tuple(waiting))
            waiting = []
        if isinstance(result, Skipped):
            skipped.append(result)
            continue
        if waiting and waiting[0].picture.values.shape != result.picture.values.shape:
            yield Batch(tuple(waiting))
            waiting = []
        waiting.append(result)
        if len(waiting) == size:
            yield Batch(tuple(waiting))
            waiting = []
    if waiting:
        yield Batch(tuple(waiting))


def sample(images: ImageSet, preprocessing: Preprocessing, most: int) -> Tensor:
    """[M, C, H, W] on the CPU: at most so many readable images of one size, spread evenly over the set.

    Raises:
        RunFailed: none can be read.
    """
    spread = [read_item(item, preprocessing) for item in evenly(images, most)]
    readable = [result for result in spread if isinstance(result, DecodedImage)]
    first = readable[0] if readable else first_usable(images, preprocessing)
    if not isinstance(first, DecodedImage):
        raise RunFailed(f"None of the images can be read. {first.name}: {first.reason}.")
    values = [decoded.picture.values for decoded in readable or [first]]
    return torch.stack([picture for picture in values if picture.shape == values[0].shape])
