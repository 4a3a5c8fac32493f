"""Drawn pictures with a known answer: one shape of five on textured ground, among things that look like it."""

import math
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.records.images import Label
from cnnvis_report.synthetic.drawing import Drawing, Random, mask_of

CLASSES = ("circle", "cross", "ring", "square", "triangle")
FINER = 2  # drawn so many times larger and then shrunk, so that edges are smooth

Color = tuple[int, int, int]


def draw(index: int, seed: int, side: int) -> Drawing:
    """The picture number `index` of a set; classes take turns, all else is chance.

    Colors, places, sizes and turns say nothing of the class, and neither do the decoys: strokes and blots in the
    same colors.
    """
    random = np.random.default_rng([seed, index])
    large = side * FINER
    target = index % len(CLASSES)
    canvas = _ground(random, large)
    shape, whole = Image.new("L", (large, large)), Image.new("L", (large, large))
    center = tuple(random.uniform(0.27, 0.73, 2) * large)
    size = float(random.uniform(0.16, 0.24)) * large
    turn = float(random.uniform(0, math.tau))
    _shape(ImageDraw.Draw(shape), CLASSES[target], (center[0], center[1]), size, turn)
    # the hole decides that a ring is no circle, so it is part of what decides
    outline = "circle" if CLASSES[target] == "ring" else CLASSES[target]
    _shape(ImageDraw.Draw(whole), outline, (center[0], center[1]), size, turn)
    for _ in range(int(random.integers(3, 6))):
        canvas.paste(_color(random), mask=_decoy(random, large))
    canvas.paste(_color(random), mask=shape)
    picture = canvas.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.4))
    grain = random.normal(0, 7, (side, side, 1))
    pixels = np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)
    mask = mask_of(np.asarray(whole.resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 255)
    return Drawing(Image.fromarray(pixels), mask, target)


def shapes(count: int, *, seed: int, side: int, first: int = 0) -> ImageSet:
    """So many drawn pictures, from number `first` on, each drawn when it is opened."""
    items = []
    for index in range(first, first + count):
        name = CLASSES[index % len(CLASSES)]
        number = index - first + 1
        items.append(
            ImageItem(
                f"{number:0{len(str(count))}d}-{name}",
                f"{name}/{number:0{len(str(count))}d}.png",
                partial(_picture, index, seed, side),
                f"shapes-{seed}-{side}-{index}",
                (Label(name, index % len(CLASSES)),),
                partial(_mask, index, seed, side),
            )
        )
    return ImageSet(tuple(items))


def _picture(index: int, seed: int, side: int) -> Image.Image:
    return draw(index, seed, side).picture


def _mask(index: int, seed: int, side: int) -> Image.Image:
    return draw(index, seed, side).mask


def _ground(random: Random, side: int) -> Image.Image:
    """Two muted colors mixed by clouds, and stripes over them."""
    first, second = random.uniform(95, 160, (2, 3))
    cells = random.normal(0, 1, (7, 7)).astype(np.float32)
    clouds = np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
    down, across = np.mgrid[0:side, 0:side] / side
    turn, pace = random.uniform(0, math.pi), random.uniform(18, 60)
    stripes = np.sin(pace * (down * math.sin(turn) + across * math.cos(turn)))
    mix = 1 / (1 + np.exp(-(1.4 * clouds + random.uniform(0.2, 0.9) * stripes)))
    return Image.fromarray((first * mix[..., None] + second * (1 - mix[..., None])).astype(np.uint8))


def _color(random: Random) -> Color:
    """Any hue, rather bright."""
    value = random.uniform(0.7, 1.0)
    hue, saturation = random.uniform(0, 6), random.uniform(0.6, 1.0)
    channels = [value * (1 - saturation * max(0.0, min(1.0, abs((hue + turn) % 6 - 3) - 1))) for turn in (3, 1, 5)]
    return int(channels[0] * 255), int(channels[1] * 255), int(channels[2] * 255)


def _shape(pen: ImageDraw.ImageDraw, name: str, center: tuple[float, float], size: float, turn: float) -> None:
    x, y = center
    if name in ("circle", "ring"):
        pen.ellipse((x - size, y - size, x + size, y + size), fill=255)
        if name == "ring":
            hole = size * 0.55
            pen.ellipse((x - hole, y - hole, x + hole, y + hole), fill=0)
    elif name == "cross":
        for way in (turn, turn + math.pi / 2):
            ends = [_around(center, size * 1.12, way + side * 0.32 + half) for half in (0, math.pi) for side in (-1, 1)]
            pen.polygon(ends, fill=255)
    else:
        corners = {"triangle": 3, "square": 4}[name]
        reach = size * {"triangle": 1.3, "square": 1.2}[name]
        pen.polygon([_around(center, reach, turn + math.tau * k / corners) for k in range(corners)], fill=255)


def _decoy(random: Random, side: int) -> Image.Image:
    """A stroke or a blot, as a mask."""
    mask = Image.new("L", (side, side))
    pen = ImageDraw.Draw(mask)
    x, y = random.uniform(0.05, 0.95, 2) * side
    if random.random() < 0.5:
        way, length = random.uniform(0, math.tau), random.uniform(0.12, 0.35) * side
        end = _around((x, y), length, way)
        pen.line([(x, y), end], fill=255, width=int(random.uniform(0.02, 0.06) * side))
    else:
        size = random.uniform(0.05, 0.12) * side
        radii = size * random.uniform(0.5, 1.5, 9)
        pen.polygon([_around((x, y), float(r), math.tau * k / 9) for k, r in enumerate(radii)], fill=255)
    return mask


def _around(center: tuple[float, float], radius: float, way: float) -> tuple[float, float]:
    return center[0] + radius * math.cos(way), center[1] + radius * math.sin(way)
