"""The geometry of a preprocessing: to size, then cut from the middle, as torchvision does it."""

from math import ceil

from PIL import Image

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.data.upright_picture import UprightPicture

# Up to so many pixels a picture is made whole before its middle is cut from it, to the very bits of torchvision.
# Beyond them, as of a thin strip whose shorter side is enlarged to 256, only what the crop keeps is made.
WHOLE_UP_TO = 1 << 24
REACH = 3  # of Pillow's widest filter, in pixels of the larger of the two grids


def fit(picture: Image.Image | UprightPicture, preprocessing: Preprocessing, filter: Image.Resampling) -> Image.Image:
    """The geometry of the preprocessing alone, for pictures and for masks that go with them.

    Places of a crop that lie beside the picture are black.
    """
    width, height = resized_size(picture.size, preprocessing.resize)
    if preprocessing.crop is None:
        return whole_picture(picture) if preprocessing.resize is None else _resized(picture, (width, height), filter)
    across, down = preprocessing.crop[1], preprocessing.crop[0]
    # rounded to even as Python rounds, which is what torchvision's center crop does
    left, top = round((width - across) / 2), round((height - down) / 2)
    wanted = (left, top, left + across, top + down)
    if preprocessing.resize is None:
        return _cut(picture, wanted)
    if width * height <= max(WHOLE_UP_TO, 4 * across * down):
        return _resized(picture, (width, height), filter).crop(wanted)
    return _middle(picture, (width, height), wanted, filter)


def resized_size(size: tuple[int, int], resize: int | tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) that a picture of this size has after resizing, before anything is cut from it."""
    if resize is None:
        return size
    if isinstance(resize, tuple):
        return resize[1], resize[0]
    short, long = sorted(size)
    other = max(1, int(resize * long / short))
    return (resize, other) if size[0] <= size[1] else (other, resize)


def kept_size(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """(width, height) that a picture of this size has in the end."""
    if preprocessing.crop is not None:
        return preprocessing.crop[1], preprocessing.crop[0]
    return resized_size(size, preprocessing.resize)


Box = tuple[int, int, int, int]


def whole_picture(picture: Image.Image | UprightPicture) -> Image.Image:
    """The picture as Pillow has it, all of it in memory."""
    return picture if isinstance(picture, Image.Image) else picture.whole()


def _resized(picture: Image.Image | UprightPicture, size: tuple[int, int], filter: Image.Resampling) -> Image.Image:
    """The picture at another size: first along the rows, then down the columns, as Pillow does it."""
    if isinstance(picture, Image.Image):
        return picture.resize(size, filter)
    return picture.resize_rows(0, picture.size[1], size[0], filter).resize(size, filter)


def _cut(picture: Image.Image | UprightPicture, wanted: Box) -> Image.Image:
    """The part `wanted` (left, top, right, bottom) of the picture, black beside it."""
    if isinstance(picture, Image.Image):
        return picture.crop(wanted)
    top, bottom = (min(max(side, 0), picture.size[1]) for side in (wanted[1], wanted[3]))
    return picture.rows(top, bottom).crop((wanted[0], wanted[1] - top, wanted[2], wanted[3] - top))


def _middle(
    picture: Image.Image | UprightPicture, size: tuple[int, int], wanted: Box, filter: Image.Resampling
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
    whole = Image.new(picture.mode, (wanted[2] - wanted[0], wanted[3] - wanted[1]))
    whole.paste(resized, (left - wanted[0], top - wanted[1]))
    return whole
