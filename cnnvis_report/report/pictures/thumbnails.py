"""Pictures made here: what the network saw, maps laid over it, color pictures.

Pictures are WebP, lossless where that is small. Maps, of which a report has hundreds of thousands, are JPEG: a noisy
map takes as many bytes, and an eighth of the time.
"""

import io
from base64 import b64encode
from collections.abc import Iterator

import numpy as np
from PIL import Image

from cnnvis_report.records.methods import Array, Kind, MethodInfo
from cnnvis_report.report.pictures.drawing import draw_map
from cnnvis_report.report.pictures.pack import entropy
from cnnvis_report.report.pictures.palettes import Pixels as Pixels

SIDE = 224
LOSSLESS_UP_TO = 30_000
QUALITY = 88
THUMBNAIL_QUALITY, OVERLAY_QUALITY, NOISE_QUALITY = 80, 60, 45
MAP_QUALITY = 60  # of JPEG
JPEG = b"\xff\xd8"  # what such a file begins with
FAST, MEDIUM = 1, 2  # of WebP's methods 0..6: half the time of its default, for a few more bytes

Pictures = Iterator[tuple[str, bytes]]  # by name


def webp(pixels: Pixels, *, quality: int = QUALITY, lossless_up_to: int = LOSSLESS_UP_TO, method: int = 4) -> bytes:
    """A picture [H, W] or [H, W, 3] as WebP: without loss where that takes few bytes, as drawn pictures do."""
    picture = Image.fromarray(pixels)
    if lossless_up_to and _least(pixels) <= lossless_up_to:
        exact = _saved(picture, lossless=True, quality=60, method=2)
        if len(exact) <= lossless_up_to:
            return exact
    return _saved(picture, quality=quality, method=method)


def jpeg(pixels: Pixels) -> bytes:
    """A map [H, W] or [H, W, 3] in its colors as JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=MAP_QUALITY)
    return file.getvalue()


def data_uri(content: bytes) -> str:
    """A picture as an address that needs no file."""
    kind = "image/jpeg" if content.startswith(JPEG) else "image/webp"
    return f"data:{kind};base64,{b64encode(content).decode()}"


def thumbnail(picture: Pixels) -> bytes:
    """The picture alone, at most 224 pixels a side."""
    height, width = still_size(picture)
    way = Image.Resampling.LANCZOS if width < picture.shape[1] else Image.Resampling.NEAREST
    small = Image.fromarray(picture).resize((width, height), way)
    return webp(np.asarray(small), quality=THUMBNAIL_QUALITY, lossless_up_to=6_000, method=MEDIUM)


def still(picture: Pixels, values: Array, card: MethodInfo, end: float | None = None) -> bytes:
    """A map as the image page first shows it, as WebP: coarse maps over the picture, pixel maps alone.

    Args:
        picture: [H, W] or [H, W, 3], what the network saw.
        values: [h, w], as `MethodInfo.shown` gives it.
        end: where the colors end; of the map for itself without it.
    """
    size = still_size(picture)
    quality = NOISE_QUALITY if card.kind is Kind.PIXEL else OVERLAY_QUALITY
    return webp(draw_map(picture, values, card, size, end=end), quality=quality, lossless_up_to=0, method=FAST)


def map_thumbnail(picture: Pixels, values: Array, card: MethodInfo, end: float | None = None) -> bytes:
    """The same as JPEG."""
    return jpeg(draw_map(picture, values, card, still_size(picture), end=end))


def gray(picture: Pixels) -> Pixels:
    """The brightness of a picture, [H, W]."""
    return np.asarray(Image.fromarray(picture).convert("L"))


def color_picture(pixels: Pixels) -> bytes:
    """What `color_pixels` gives, as JPEG."""
    return jpeg(pixels)


def still_size(picture: Pixels) -> tuple[int, int]:
    """(height, width) on pages: at most 224; smaller pictures are grown in whole steps, so that pixels stay square."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = SIDE / longest if longest > SIDE else max(1, SIDE // longest)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _least(pixels: Pixels) -> float:
    """Bytes that a picture hardly goes below without loss: half of what the differences of neighbors take."""
    differences = np.diff(pixels, axis=1, prepend=0).astype(np.uint8)
    return entropy(differences) * pixels.size / 8 / 2


def _saved(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", **options)
    return file.getvalue()
