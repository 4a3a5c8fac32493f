"""TIFF files of any number of bands: pages of one band each, what Pillow decodes, or the rest by tifffile."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import UnidentifiedImageError

from cnnvis_report.data.decoding.high_bit_depth import deep_pixels, is_deep, left_aside
from cnnvis_report.data.decoding.tiff_pages import Page, tiff_pages
from cnnvis_report.data.decoding.tifffile_page import INSTALL, has_tifffile, read_page
from cnnvis_report.data.formats import head_of
from cnnvis_report.data.pixels import MOST_PIXELS, Pixels, UnusablePicture
from cnnvis_report.data.reader import Source
from cnnvis_report.data.readers.pillow import open_image


def tiff_bands(source: Source, page: int, channels: int) -> Pixels | None:
    """The bands of a page of a TIFF file, or of all its pages where these are the bands; None where it is no TIFF.

    Raises:
        UnusablePicture: it has another number of bands, too many values, or can't be decoded here.
    """
    if not head_of(source).startswith((b"II", b"MM")):
        return None
    pages = [candidate for candidate in tiff_pages(source) if not candidate.reduced]
    first = next((candidate for candidate in pages if candidate.index == page), None)
    if first is None:
        return None
    if stands_for_bands(pages, channels):
        _check_values(first, channels)
        return Pixels.of_bands(np.stack([_gray(source, band) for band in pages], axis=2))
    _check_values(first, first.samples)
    if first.samples != channels:
        has = "1 band" if first.samples == 1 else f"{first.samples} bands"
        raise UnusablePicture(f"it has {has}, and the network reads {channels}")
    return _by_pillow(source, page, channels) or _by_tifffile(source, page, channels)


def stands_for_bands(pages: list[Page], channels: int) -> bool:
    """Whether pages are the bands of one picture: as many as the network reads, of one band each, of one size."""
    return len(pages) == channels and all(page.samples == 1 and page.size == pages[0].size for page in pages)


def _check_values(page: Page, bands: int) -> None:
    if page.size[0] * page.size[1] * bands > MOST_PIXELS:
        sides = f"{page.size[0]}×{page.size[1]} pixels of {bands} bands"
        raise UnusablePicture(f"{sides}; at most {MOST_PIXELS // 10**6} million values are read")


def _gray(source: Source, page: Page) -> npt.NDArray[Any]:
    """The one band of a page."""
    with open_image(source, page.index) as opened:
        pixels = deep_pixels(opened, lambda: open_image(source, page.index), "") if is_deep(opened) else None
        pixels = pixels or Pixels.of_image(opened)
        return pixels.band_values(0, pixels.size[1])[..., 0]


def _by_pillow(source: Source, page: int, channels: int) -> Pixels | None:
    """What Pillow gives, where it gives all bands as they are."""
    try:
        with open_image(source, page) as opened:
            if opened.mode not in ("LA", "RGBA") or len(opened.getbands()) != channels or left_aside(opened):
                return None
            if is_deep(opened):
                return deep_pixels(opened, lambda: open_image(source, page), "")
            return Pixels.of_image(opened)
    except UnidentifiedImageError:
        return None


def _by_tifffile(source: Source, page: int, channels: int) -> Pixels:
    """What tifffile gives: interleaved or planar, of any number of bits, floating-point numbers too."""
    if not has_tifffile():
        raise UnusablePicture(f"a TIFF of {channels} bands, and tifffile is not installed: {INSTALL}")
    values = read_page(source, page).values
    if values.ndim != 3 or values.shape[2] != channels:
        raise UnusablePicture(f"a TIFF page of {'×'.join(map(str, values.shape))}, which isn't read")
    return Pixels.of_bands(values)
