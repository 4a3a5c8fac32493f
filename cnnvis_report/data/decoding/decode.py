"""One picture: from a file that a stranger made to what the network reads."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.decoding.band_picture import BandPicture
from cnnvis_report.data.decoding.band_tiff import tiff_bands
from cnnvis_report.data.decoding.decode_errors import decoding
from cnnvis_report.data.decoding.upright_picture import NOTE, READING, UprightPicture
from cnnvis_report.data.formats import ending as ending_of
from cnnvis_report.data.formats import head_of
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.masks.foreground import inside_of
from cnnvis_report.data.pixels import MOST_PIXELS, ORIENTATION, Pixels, UnusablePicture, check_size
from cnnvis_report.data.preprocessing.byte_scale import Spread, spread_of, without_alpha
from cnnvis_report.data.preprocessing.geometry import fit, kept_size, whole_picture
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing
from cnnvis_report.data.preprocessing.shown_bands import band_picture, choose_bands
from cnnvis_report.data.preprocessing.transform import shown_pixels
from cnnvis_report.data.reader import FALLBACK, Source, check_pixels, reader_for
from cnnvis_report.data.readers.pillow import open_image
from cnnvis_report.records.bands import USUAL

# Up to so many pixels a picture is made whole; a larger one row by row as it is resized, to the very same bits.
WHOLE_UP_TO = 1 << 24
COLOR = 3  # channels


@dataclass(frozen=True)
class Picture:
    """One image, ready.

    values: [C, H, W] float32 as the network reads it. seen: H×W×3 (or H×W) bytes, the same un-normalized, of other
    bands those that pages show.
    original: (height, width) as stored, after turning it upright. note: what a user has to know of how it was read.
    reading: what of its file it is, and which values are black and white, where it has more than 8 bits.
    """

    values: Tensor
    seen: npt.NDArray[np.uint8]
    original: tuple[int, int]
    note: str = ""
    reading: str = ""


AnyPicture = Image.Image | UprightPicture | BandPicture | Picture


def open_picture(
    source: Source, page: int = 0, levels: Levels = NO_LEVELS, ending: str = ""
) -> Image.Image | UprightPicture:
    """An upright picture in mode RGB or L, whatever the file holds; a large one makes its rows as they are needed.

    Transparent places show white; of an animation the first frame counts; more than 8 bits become 8, and what a user
    has to know of that is among the picture's `info`, under NOTE.

    Args:
        page: of a file with several images, counted from 0. levels: how more than 8 bits are read. ending: of the
            file's name, where `source` doesn't tell it.

    Raises:
        UnusablePicture: the file is empty, cut short, too large, or no picture of a known format.
    """
    with decoding(source):
        picture = UprightPicture.of(_gray_or_color(_pixels(source, page, ending)), levels)
        return picture.whole() if picture.size[0] * picture.size[1] <= WHOLE_UP_TO else picture


def open_mask(source: Source, ending: str = "") -> Image.Image:
    """A mask, upright, in mode L: 255 inside and 0 outside.

    Raises:
        UnusablePicture: as `open_picture` does, or it doesn't say what is inside.
    """
    with decoding(source):
        return inside_of(_pixels(source, 0, ending))


def open_bands(source: Source, page: int, levels: Levels, ending: str, channels: int) -> BandPicture:
    """The same for a network that reads neither gray nor color: all bands, of which alpha is one.

    Raises:
        UnusablePicture: as `open_picture` does, or it has other bands than the network reads.
    """
    with decoding(source):
        return BandPicture.of(_pixels(source, page, ending, channels), levels, channels)


def read_picture(source: Source, page: int = 0, levels: Levels = NO_LEVELS, ending: str = "") -> Image.Image:
    """A picture as `open_picture` gives it, whole whatever its size.

    Raises:
        UnusablePicture: as `open_picture` does.
    """
    picture = open_picture(source, page, levels, ending)
    if isinstance(picture, Image.Image):
        return picture
    with decoding(source):
        return picture.whole()


def read_values(source: Path, page: int) -> npt.NDArray[np.generic] | None:
    """The values of a picture of more than 8 bits a channel, without alpha, as they are stored; None where it has 8.

    Raises:
        UnusablePicture: it can't be read.
    """
    with decoding(source):
        pixels = _pixels(source, page)
        return without_alpha(np.asarray(pixels.rows(0, pixels.size[1]))) if pixels.deep else None


def read_spread(image: ImageFile, channels: int = COLOR) -> Spread | None:
    """The ends of the values of a picture of more than 8 bits a channel; None where it has 8.

    Raises:
        UnusablePicture: it can't be read, or has values that aren't finite.
    """
    source = image.source()
    with decoding(source):
        pixels = _pixels(source, image.page, ending_of(image.path), channels)
        return spread_of(pixels, alpha=channels in USUAL) if pixels.deep else None


def picture_size(image: ImageFile) -> tuple[int, int] | None:
    """(height, width) of an image, from its head where Pillow reads it; None where it can't be read."""
    try:
        if image.entry is None and not image.path.is_file():  # a pipe would never answer
            return None
        source, kind = image.source(), ending_of(image.path)
        with decoding(source):
            if reader_for(head_of(source), kind).name != FALLBACK:
                width, height = _pixels(source, 0, kind).size
                return height, width
            with open_image(source, 0) as opened:
                # of a TIFF, Pillow gives the size upright
                turned = opened.format != "TIFF" and opened.getexif().get(ORIENTATION, 1) >= 5
                return (opened.width, opened.height) if turned else (opened.height, opened.width)
    except (UnusablePicture, OSError):
        return None


def prepare(picture: AnyPicture, preprocessing: Preprocessing) -> Picture:
    """Resize, crop and normalize a picture as the network's preprocessing says; one that is ready stays as it is.

    Raises:
        UnusablePicture: it would have too many pixels.
    """
    if isinstance(picture, Picture):
        return picture
    if isinstance(picture, BandPicture):
        return _prepare_bands(picture, preprocessing)
    original = (picture.size[1], picture.size[0])
    if isinstance(picture, UprightPicture):
        words = picture.note, picture.reading
    else:
        words = str(picture.info.get(NOTE, "")), str(picture.info.get(READING, ""))
    if preprocessing.transform is not None:
        values = preprocessing.transform.of(whole_picture(picture))
        restored = preprocessing.restore(values) if preprocessing.transform.reversible else None
        return Picture(values, shown_pixels(values, restored), original, *words)
    _check_kept_size(picture.size, preprocessing)
    mode = "L" if preprocessing.channels == 1 else "RGB"
    # gray becomes color when it is small: that gives the same bits, and a large one would take four times its memory
    # but a tensor of one channel is resized with other roundings, and beside it there is no mean color
    late = preprocessing.library != "transformers" and not preprocessing.fill_color
    picture = picture if picture.mode == mode or (late and picture.mode == "L") else picture.convert(mode)
    filter = Image.Resampling[preprocessing.interpolation.upper()]
    try:
        resized = fit(picture, preprocessing, filter, preprocessing.fill_color)
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    resized = resized if resized.mode == mode else resized.convert(mode)
    shown = np.asarray(resized, dtype=np.uint8)
    pixels = torch.from_numpy(shown.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return Picture(preprocessing.normalize(pixels.contiguous()), shown, original, *words)


def _check_kept_size(size: tuple[int, int], preprocessing: Preprocessing, bands: int = 1) -> None:
    """Refuse what would take too much memory once it is resized.

    Raises:
        UnusablePicture: saying how many pixels it would have.
    """
    width, height = kept_size(size, preprocessing)
    if width * height * bands > MOST_PIXELS:
        raise UnusablePicture(
            f"{width}×{height} pixels after resizing; at most {MOST_PIXELS // 10**6} million are made. "
            f"Another --size makes it smaller"
        )


def _prepare_bands(picture: BandPicture, preprocessing: Preprocessing) -> Picture:
    """The same, band by band, without rounding to bytes in between."""
    _check_kept_size(picture.size, preprocessing, preprocessing.channels)
    preprocessing = replace(preprocessing, library="torchvision")  # which resizes single-precision numbers
    way = Image.Resampling[preprocessing.interpolation.upper()]
    resized = [np.asarray(fit(picture.band(index), preprocessing, way)) for index in range(preprocessing.channels)]
    values = torch.from_numpy(np.stack(resized))
    bands = preprocessing.bands or choose_bands(preprocessing.channels, None)
    assert bands is not None  # whoever reads bands has some to show
    original = (picture.size[1], picture.size[0])
    return Picture(
        preprocessing.normalize(values), band_picture(bands, values), original, picture.note, picture.reading
    )


def _gray_or_color(pixels: Pixels) -> Pixels:
    """A picture for a network that reads gray or color.

    Raises:
        UnusablePicture: it has other bands.
    """
    if pixels.stack is None:
        return pixels
    laid_out = pixels.laid_out(COLOR)
    if laid_out.bands not in USUAL:
        raise UnusablePicture(f"it has {laid_out.bands} bands, and the network reads gray or color")
    return Pixels.of_array(laid_out.band_values(0, laid_out.size[1]), pixels.note)


def _pixels(source: Source, page: int, ending: str = "", channels: int = COLOR) -> Pixels:
    """What the reader of such files gives.

    Raises:
        UnusablePicture: it can't be read, or has more pixels than are read.
    """
    if channels not in USUAL and (stacked := tiff_bands(source, page, channels)) is not None:
        return stacked
    reader = reader_for(head_of(source), ending_of(source) if isinstance(source, Path) else ending)
    if reader.missing:
        raise UnusablePicture(reader.missing)
    if not isinstance(source, Path):
        source.seek(0)
    pixels = check_pixels(reader.read(source, page))
    check_size(pixels.size)
    return pixels
