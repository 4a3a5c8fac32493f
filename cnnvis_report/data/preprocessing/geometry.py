"""The geometry of a preprocessing: to size, then cut from the middle, as the library does it that it was made for."""

from collections.abc import Callable
from math import ceil

import numpy as np
import torch
from PIL import Image

from cnnvis_report.data.decoding.row_picture import RowPicture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing, Resize

# Up to so many pixels a picture is made whole before its middle is cut from it, to the very bits of its library.
# Beyond them, as of a thin strip whose shorter side is enlarged to 256, only what the crop keeps is made.
WHOLE_UP_TO = 1 << 24
REACH = 3  # of Pillow's widest filter, in pixels of the larger of the two grids
Box = tuple[int, int, int, int]
Color = tuple[float, ...]

# Where a crop of a picture begins that leaves so many pixels; a negative margin is added around it.
# Even, they all begin in the middle. Odd, torchvision and timm round to even as Python does, but add the smaller half
# before the picture; transformers cuts off the fraction, and with Pillow takes the next whole number below.
STARTS: dict[str, Callable[[int], int]] = {
    "torchvision": lambda margin: round(margin / 2) if margin > 0 else -(-margin // 2),
    "transformers": lambda margin: int(margin / 2),
    "transformers-pil": lambda margin: margin // 2,
}
# Pillow's filters that torchvision has for tensors in every version
FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def fit(
    picture: Image.Image | RowPicture, preprocessing: Preprocessing, filter: Image.Resampling, fill: Color = ()
) -> Image.Image:
    """The geometry of the preprocessing alone, for pictures and for masks that go with them.

    Args:
        fill: what places of a crop show that lie beside the picture, a number a channel; black where there is none.
    """
    width, height = resized_size(picture.size, preprocessing.resize, preprocessing.aspect)
    resized = _resized_as_tensor if preprocessing.library == "transformers" else _resized
    if preprocessing.crop is None:
        return whole_picture(picture) if preprocessing.resize is None else resized(picture, (width, height), filter)
    wanted = _wanted((width, height), preprocessing)
    if preprocessing.resize is None:
        return _cut(picture, wanted, fill)
    if width * height <= max(WHOLE_UP_TO, 4 * preprocessing.crop[1] * preprocessing.crop[0]):
        return _cut(resized(picture, (width, height), filter), wanted, fill)
    return _middle(picture, (width, height), wanted, filter, fill)


def resized_size(size: tuple[int, int], resize: Resize, aspect: str = "squash") -> tuple[int, int]:
    """(width, height) that a picture of this size has after resizing, before anything is cut from it."""
    if resize is None:
        return size
    if isinstance(resize, tuple):
        if aspect == "squash":
            return resize[1], resize[0]
        ratios = size[0] / resize[1], size[1] / resize[0]
        ratio = min(ratios) if aspect == "cover" else max(ratios)
        return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))
    short, long = sorted(size)
    other = max(1, int(resize * long / short))
    return (resize, other) if size[0] <= size[1] else (other, resize)


def kept_size(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """(width, height) that a picture of this size has in the end."""
    if preprocessing.crop is not None:
        return preprocessing.crop[1], preprocessing.crop[0]
    return resized_size(size, preprocessing.resize, preprocessing.aspect)


def whole_picture(picture: Image.Image | RowPicture) -> Image.Image:
    """The picture as Pillow has it, all of it in memory."""
    return picture if isinstance(picture, Image.Image) else picture.whole()


def _wanted(size: tuple[int, int], preprocessing: Preprocessing) -> Box:
    """The crop (left, top, right, bottom) within a resized picture."""
    assert preprocessing.crop is not None
    down, across = preprocessing.crop
    start = STARTS[preprocessing.library]
    left, top = start(size[0] - across), start(size[1] - down)
    return left, top, left + across, top + down


def _resized(picture: Image.Image | RowPicture, size: tuple[int, int], filter: Image.Resampling) -> Image.Image:
    """The picture at another size: first along the rows, then down the columns, as Pillow does it."""
    if isinstance(picture, Image.Image):
        return picture.resize(size, filter)
    return picture.resize_rows(0, picture.size[1], size[0], filter).resize(size, filter)


def _resized_as_tensor(
    picture: Image.Image | RowPicture, size: tuple[int, int], filter: Image.Resampling
) -> Image.Image:
    """The picture at another size as torchvision resizes tensors; as Pillow does where it is large or no bytes."""
    if isinstance(picture, Image.Image) and resizes_tensors(picture, filter) and size[0] * size[1] <= WHOLE_UP_TO:
        return resized_as_tensor(picture, size, filter)
    return _resized(picture, size, filter)


def _cut(picture: Image.Image | RowPicture, wanted: Box, fill: Color) -> Image.Image:
    """The part `wanted` (left, top, right, bottom) of the picture."""
    left, top, right, bottom = wanted
    if isinstance(picture, RowPicture):
        first, last = (min(max(side, 0), picture.size[1]) for side in (top, bottom))
        picture, top, bottom = picture.rows(first, last), top - first, bottom - first
    if not fill or (min(left, top) >= 0 and right <= picture.width and bottom <= picture.height):
        return picture.crop((left, top, right, bottom))
    return _within(picture, (right - left, bottom - top), (-left, -top), fill)


def _within(part: Image.Image, size: tuple[int, int], at: tuple[int, int], fill: Color) -> Image.Image:
    """A picture of the size that shows a part of another at a place, and the color beside it."""
    whole = Image.new(part.mode, size, (fill if len(fill) > 1 else fill[0]) if fill else 0)
    whole.paste(part, at)
    return whole


def _middle(
    picture: Image.Image | RowPicture, size: tuple[int, int], wanted: Box, filter: Image.Resampling, fill: Color
) -> Image.Image:
    """The part `wanted` (left, top, right, bottom) of the picture at another size, without making the rest."""
    left, top, right, bottom = max(wanted[0], 0), max(wanted[1], 0), min(wanted[2], size[0]), min(wanted[3], size[1])
    across, down = picture.size[0] / size[0], picture.size[1] / size[1]
    # rows first, whole ones; then along them and down the columns, the order in which Pillow resizes a whole picture
    margin = ceil(REACH * max(down, 1)) + 1
    first, last = max(0, int(top * down) - margin), min(picture.size[1], ceil(bottom * down) + margin)
    # rounding must not lead beyond the picture
    box = (left * across, min(right * across, picture.size[0]))
    if isinstance(picture, Image.Image):
        rows = picture.crop((0, first, picture.width, last))
        rows = rows.resize((right - left, rows.height), filter, box=(box[0], 0, box[1], rows.height))
    else:
        rows = picture.resize_rows(first, last, right - left, filter, box)
    upper, lower = max(top * down - first, 0), min(bottom * down - first, rows.height)
    resized = rows.resize((rows.width, bottom - top), filter, box=(0, upper, rows.width, lower))
    if (left, top, right, bottom) == wanted:
        return resized
    return _within(resized, (wanted[2] - wanted[0], wanted[3] - wanted[1]), (left - wanted[0], top - wanted[1]), fill)


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
