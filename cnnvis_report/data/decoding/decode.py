"""One picture, opened: from a file that a stranger made to upright pixels of gray, color or any bands."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cnnvis_report.data.decoding.band_picture import BandPicture
from cnnvis_report.data.decoding.band_tiff import tiff_bands
from cnnvis_report.data.decoding.orientation import stored_turn, upright_size
from cnnvis_report.data.decoding.tiff_pages import tiff_pages
from cnnvis_report.data.decoding.tifffile_page import INSTALL, has_tifffile
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.formats import FORMATS, content, from_start, head_of, reason
from cnnvis_report.data.formats import ending as ending_of
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.masks.foreground import inside_of
from cnnvis_report.data.pixels import MOST_PIXELS, Pixels, UnusablePicture, check_size
from cnnvis_report.data.preprocessing.byte_scale import Spread, spread_of
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels
from cnnvis_report.data.reader import FALLBACK, Source, check_pixels, reader_for
from cnnvis_report.data.readers.pillow import open_image
from cnnvis_report.records.bands import USUAL

# Up to so many pixels a picture is made whole; a larger one row by row as it is resized, to the very same bits.
WHOLE_UP_TO = 1 << 24
COLOR = 3  # channels


def open_picture(
    source: Source, page: int = 0, levels: Levels = NO_LEVELS, ending: str = ""
) -> Image.Image | UprightPicture:
    """An upright picture in mode RGB or L, whatever the file holds; a large or deep one makes its rows when needed.

    Transparent places show white; of an animation the first frame counts; more than 8 bits are 8 where the picture is
    made whole, and what a user has to know of that is among its `info` then, under NOTE.

    Args:
        page: of a file with several images, counted from 0. levels: how more than 8 bits are read. ending: of the
            file's name, where `source` doesn't tell it.

    Raises:
        UnusablePicture: the file is empty, cut short, too large, or no picture of a known format.
    """
    with decoding(source):
        picture = UprightPicture.of(_gray_or_color(_pixels(source, page, ending)), levels)
        small = picture.size[0] * picture.size[1] <= WHOLE_UP_TO
        return picture.whole() if small and not picture.deep else picture


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
                width, height = upright_size(opened, None if opened.format == "TIFF" else stored_turn(opened))
                return height, width
    except (UnusablePicture, OSError):
        return None


def _gray_or_color(pixels: Pixels) -> Pixels:
    """A picture for a network that reads gray or color."""
    if pixels.stack is None:
        return pixels
    laid_out = pixels.laid_out(COLOR)
    if laid_out.bands not in USUAL:
        raise UnusablePicture(f"it has {laid_out.bands} bands, and the network reads gray or color")
    return Pixels.of_array(laid_out.band_values(0, laid_out.size[1]), pixels.note)


def _pixels(source: Source, page: int, ending: str = "", channels: int = COLOR) -> Pixels:
    """What the reader of such files gives."""
    if channels not in USUAL and (stacked := tiff_bands(source, page, channels)) is not None:
        return stacked
    reader = reader_for(head_of(source), ending_of(source) if isinstance(source, Path) else ending)
    if reader.missing:
        raise UnusablePicture(reader.missing)
    pixels = check_pixels(reader.read(from_start(source), page))
    check_size(pixels.size)
    return pixels


@contextmanager
def decoding(source: Source) -> Iterator[None]:
    """Whatever a decoder says of a bad file, in one family and without the file's path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's of 89 million pixels too: the limit is ours
            yield
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture(_unknown(source)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(f"more pixels than the {MOST_PIXELS // 10**6} million that are read") from error
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    except FileNotFoundError as error:
        raise UnusablePicture("there is no such file") from error
    except PermissionError as error:
        raise UnusablePicture("may not be read (permission denied)") from error
    except Exception as error:  # decoders of damaged files raise whatever comes
        raise UnusablePicture("damaged or cut short") from error


def _unknown(source: Source) -> str:
    """What a file is that no decoder takes."""
    head = head_of(source)
    if why := reason(content(head)):
        return f"holds {why}"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the picture itself; fetch it: git lfs pull"
    page = next(iter(tiff_pages(source)), None)
    if page is not None:
        return (
            f"a TIFF of {page.samples} channels with {page.bits} bits each, which can't be decoded; save it with 1 "
            f"channel or 3, of 8 or 16 bits{'' if has_tifffile() else f', or {INSTALL}'}"
        )
    return f"not an image of a known format ({', '.join(FORMATS)})"
