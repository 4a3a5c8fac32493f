"""Pictures that Pillow decodes: JPEG, PNG, WebP, TIFF and others."""

from pathlib import Path
from typing import BinaryIO

from PIL import Image

from cnnvis_report.data.decoding.high_bit_depth import deep_pixels, is_deep, is_deep_planar, left_aside
from cnnvis_report.data.decoding.tifffile_page import gray_or_color, has_tifffile
from cnnvis_report.data.formats import EXTENSIONS, FORMATS, from_start, head_of, looks_like_a_picture
from cnnvis_report.data.pixels import Pixels, UnusablePicture, check_size
from cnnvis_report.data.reader import Source, reader

MOST_SCANNED = 2_000_000_000  # pixels times scans of a progressive JPEG: a scan of a few bytes goes through all of them


@reader(title="a picture", endings=EXTENSIONS, recognizes=looks_like_a_picture)
def pillow(source: Source, page: int) -> Pixels:
    """Decode a picture; of an animation the first frame counts.

    A page of a TIFF that Pillow can't decode, or of which it gives the upper byte alone, is tifffile's.

    Raises:
        UnusablePicture: it has too many pixels, or is gone through too often.
    """
    try:
        return _by_pillow(source, page)
    except (UnusablePicture, MemoryError):
        raise
    except Exception as error:
        if not (has_tifffile() and head_of(source).startswith((b"II", b"MM"))):
            raise
        try:
            return gray_or_color(source, page)
        except (UnusablePicture, MemoryError):
            raise
        except Exception:  # Pillow says better what is wrong with a file that neither reads
            raise error from None


def _by_pillow(source: Source, page: int) -> Pixels:
    with open_image(source, page) as opened:
        if is_deep_planar(opened) and has_tifffile():
            return gray_or_color(source, page)
        note = left_aside(opened)
        if is_deep(opened):
            return deep_pixels(opened, lambda: open_image(source, page), note)
        _check_scans(opened, source)
        return Pixels.of_image(opened, note)


def open_image(source: Source, page: int) -> Image.Image:
    """The picture with its head read, and its size found good.

    Raises:
        UnusablePicture: it has too many pixels.
    """
    Image.init()  # Pillow knows the formats by name only after that
    opened = Image.open(from_start(source), formats=[name for name in FORMATS if name in Image.OPEN])
    if page:
        opened.seek(page)
    try:
        check_size(opened.size, deep=is_deep(opened))
    except UnusablePicture:
        opened.close()
        raise
    return opened


def _check_scans(opened: Image.Image, source: Source) -> None:
    """Refuse a JPEG that is gone through so often that it would take minutes."""
    if opened.format in ("JPEG", "MPO") and opened.info.get("progressive"):
        scans, pixels = _count(source, b"\xff\xda"), opened.width * opened.height
        if scans * pixels > MOST_SCANNED:
            most = f"at most {MOST_SCANNED // pixels} are read of a picture of that size"
            raise UnusablePicture(f"{opened.width}×{opened.height} pixels in {scans} scans; {most}")


def _count(source: Source, marker: bytes) -> int:
    """How often two bytes stand in a file, wherever it was being read."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _count_in(file, marker)
    position = source.tell()
    source.seek(0)
    count = _count_in(source, marker)
    source.seek(position)
    return count


def _count_in(file: BinaryIO, marker: bytes) -> int:
    return sum(part.count(marker) for part in iter(lambda: file.read(1 << 20), b""))
