"""Pictures made here: what the network saw, maps laid over it, color pictures. WebP, lossless where that is small."""

import io
from base64 import b64encode
from collections.abc import Iterator

import numpy as np
from PIL import Image

from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.report.pictures.drawing import draw_map
from cnnvis_report.report.pictures.palettes import Pixels as Pixels

SIDE = 224
LOSSLESS_UP_TO = 30_000
QUALITY = 88
STILL_QUALITY = 72
COLOUR_CLIPPED_AT = 0.995

Pictures = Iterator[tuple[str, bytes]]  # WebP, by name


def webp(pixels: Pixels, *, quality: int = QUALITY, lossless_up_to: int = LOSSLESS_UP_TO) -> bytes:
    """A picture [H, W] or [H, W, 3] as WebP: without loss where that takes few bytes, as drawn pictures do."""
    picture = Image.fromarray(pixels)
    if lossless_up_to:
        exact = _saved(picture, lossless=True, quality=60, method=2)
        if len(exact) <= lossless_up_to:
            return exact
    return _saved(picture, quality=quality, method=4)


def data_uri(content: bytes, kind: str = "image/webp") -> str:
    """The content as an address that needs no file."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def thumbnail(picture: Pixels) -> bytes:
    """The picture alone, at most 224 pixels a side."""
    height, width = _still_size((picture.shape[0], picture.shape[1]))
    way = Image.Resampling.LANCZOS if width < picture.shape[1] else Image.Resampling.NEAREST
    small = Image.fromarray(picture).resize((width, height), way)
    return webp(np.asarray(small), quality=STILL_QUALITY + 8, lossless_up_to=6_000)


def still(picture: Pixels, values: Array, card: MethodInfo, end: float | None = None) -> bytes:
    """A map as the image page first shows it: coarse maps over the picture, pixel maps alone.

    Args:
        picture: [H, W] or [H, W, 3], what the network saw.
        values: [h, w], as `MethodInfo.shown` gives it.
        end: where the colors end; of the map for itself without it.
    """
    size = _still_size((picture.shape[0], picture.shape[1]))
    return webp(draw_map(picture, values, card, size, end=end), quality=STILL_QUALITY, lossless_up_to=0)


def gray(picture: Pixels) -> Pixels:
    """The brightness of a picture, [H, W]."""
    return np.asarray(Image.fromarray(picture).convert("L"))


def color_picture(values: Array) -> bytes:
    """A pixel map [C, H, W] with its channels as colors: gray is zero, the ends are where 99.5 % of the values are."""
    sizes = np.abs(values)
    end = float(np.quantile(sizes, COLOUR_CLIPPED_AT)) or float(sizes.max()) or 1.0
    shares = np.clip(values / end, -1, 1).transpose(1, 2, 0)
    pixels = np.floor((shares + 1) * 127.5 + 0.5).astype(np.uint8)
    return webp(pixels if pixels.shape[2] == 3 else pixels[..., 0], quality=80, lossless_up_to=0)


def _still_size(size: tuple[int, int]) -> tuple[int, int]:
    """At most 224 a side; smaller pictures are grown in whole steps so that their pixels stay square."""
    longest = max(size)
    scale = SIDE / longest if longest > SIDE else max(1, SIDE // longest)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _saved(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", **options)
    return file.getvalue()
