"""Pages of TIFF files that Pillow doesn't decode, or not with all their bits: by tifffile, where it is installed."""

import importlib.util
import logging
import lzma
import zlib
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from cnnvis_report.data.formats import from_start
from cnnvis_report.data.pixels import MOST_PIXELS, Pixels, UnusablePicture, Values
from cnnvis_report.data.reader import Source
from cnnvis_report.records.bands import USUAL

INSTALL = "pip install 'cnnvis-report[tiff]'"
DEFLATE, LZMA = (8, 32946), 34925  # compressions of TIFF that a few bytes could inflate without end
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
ALPHA = (1, 2)  # kinds of an extra sample


@dataclass(frozen=True)
class TiffPage:
    """One page: H×W, or H×W×C, what its first samples are, and of what kind the others."""

    values: Values
    photometric: int
    extra: tuple[int, ...]


def has_tifffile() -> bool:
    """Whether tifffile is installed."""
    return importlib.util.find_spec("tifffile") is not None


def gray_or_color(source: Source, page: int) -> Pixels:
    """The picture of a page, for networks that read gray or color.

    Raises:
        UnusablePicture: it has other bands, or can't be decoded here.
    """
    stored = read_page(source, page)
    values, bands = stored.values, 1 if stored.values.ndim == 2 else stored.values.shape[2]
    colors = USUAL[1] if stored.photometric == RGB else 1
    if stored.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) or bands < colors:
        raise UnusablePicture("a TIFF of colors that only Pillow reads, which can't decode it")
    alpha = bands == colors + 1 and stored.extra[:1] in [(kind,) for kind in ALPHA]
    if bands > colors and not alpha:
        raise UnusablePicture(f"it has {bands} bands, and the network reads gray or color")
    note = ""
    if alpha and values.dtype not in (np.uint8, np.uint16):  # of which nobody says what is opaque
        values, note = values[..., :colors], "its alpha is left aside"
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    inverted = stored.photometric == WHITE_IS_ZERO
    if inverted and values.dtype == np.uint8:
        return Pixels.of_array(255 - values if values.ndim == 2 else values, note)
    return replace(Pixels.of_array(values, note), inverted=inverted)


def read_page(source: Source, page: int) -> TiffPage:
    """What tifffile gives of a page: interleaved or planar, of any number of bits, floating-point numbers too.

    Raises:
        UnusablePicture: it is too large, or packed in a way that needs another library.
    """
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it says of a damaged file is said here
    with tifffile.TiffFile(from_start(source)) as file:
        stored: Any = file.pages[page]
        shape, dtype = tuple(stored.shape), stored.dtype
        if dtype is None or dtype.kind not in "biuf" or len(shape) not in (2, 3):
            raise UnusablePicture(f"a TIFF page of {'×'.join(map(str, shape))} {dtype}, which isn't read")
        if prod(shape) > MOST_PIXELS:
            raise UnusablePicture(f"at most {MOST_PIXELS // 10**6} million values are read")
        _check_segments(stored, prod(shape) * dtype.itemsize)
        try:
            values = stored.asarray(maxworkers=1)
        except ValueError as error:
            if "imagecodecs" in str(error):
                name = getattr(stored.compression, "name", stored.compression)
                raise UnusablePicture(f"packed by {name}, which needs imagecodecs: pip install imagecodecs") from error
            raise
        planar = getattr(stored, "planarconfig", 1) == 2 and len(shape) == 3
        values = np.moveaxis(values, 0, 2) if planar else values
        values = values.view(np.uint8) * 255 if dtype.kind == "b" else values
        return TiffPage(values, int(stored.photometric), tuple(int(kind) for kind in stored.extrasamples))


def _check_segments(page: Any, size: int) -> None:
    """Refuse strips and tiles that inflate to more than the whole picture; tifffile would make all of it."""
    if int(page.compression) not in (*DEFLATE, LZMA):
        return
    most = size + page.tilewidth * page.tilelength * 64 + 1
    handle = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(offset)
        content = handle.read(min(count, handle.size))
        if int(page.compression) == LZMA:
            more = len(lzma.LZMADecompressor().decompress(content, most)) >= most
        else:
            inflater = zlib.decompressobj()
            inflater.decompress(content, most)
            more = bool(inflater.unconsumed_tail)
        if more:
            raise UnusablePicture("a strip of it inflates to more than the picture")
