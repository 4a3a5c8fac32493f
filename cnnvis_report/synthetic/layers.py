"""Drawn pictures with a known answer, after a geological section: on which side of the line are the stripes shifted?

Striped and noisy gray, in layers that dark lines part. In one rectangular patch the stripes are shifted. The class is
the side of the thick line that this patch lies on. Squares and triangles lie about and say nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from cnnvis_report.synthetic.drawing import Cover, Drawing, Random, mask_of

CLASSES = ("above", "below")
VARIANTS = ("gray", "annotated", "shift", "marked", "misleading")
MARKED_SHARE = 0.8  # of the misleading pictures, how many bear a mark
FINER = 4  # shapes are drawn so many times larger and then shrunk, so that edges are smooth
LIGHT, DARK, BLACK = 1.0, 0.22, 0.05  # tones of marks, decoys and lines

Box = tuple[int, int, int, int]
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Scene:
    """What a picture of any variant is drawn from; lengths are in pixels.

    line: [side] the height of the thick line's middle in each column. patch: left, top, right, bottom. shift: of the
    stripes within the patch, a share of their period. decoys: corners of each. mark: where the misleading mark goes;
    None in pictures that bear none.
    """

    side: int
    target: int
    line: Cover
    patch: Box
    shift: float
    decoys: tuple[Corners, ...]
    mark: Box | None


def draw(index: int, seed: int, side: int, variant: str = "gray") -> Drawing:
    """The picture number `index` of a set: the same scene in all variants. Classes take turns, all else is chance.

    Args:
        variant: "gray" is the scene; "annotated" a white ground with the line, the decoys and the patch as an
            outline; "shift" the line and the patch's outline alone; "marked" the scene with the patch outlined;
            "misleading" the scene with a mark in four of five pictures, a disc where the class is above and a cross
            where it is below: it goes with the class and isn't its cause.

    Returns:
        A gray picture with masks of the patch, of "decoys" (not in `shift`), and of "marks" in `misleading`.
    """
    scene = _scene(np.random.default_rng([seed, index]), index % len(CLASSES), side)
    decoys, outline = _polygons(scene.decoys, side), _outline(scene.patch, side)
    others = {"decoys": mask_of(decoys)} if variant != "shift" else {}
    if variant in ("annotated", "shift"):
        values = np.ones((side, side), np.float32)
        if variant == "annotated":
            _paint(values, decoys, DARK)
        _paint(values, _line(scene.line, _thick(side)), BLACK)
        _paint(values, outline, BLACK)
    else:
        values = _ground(scene, np.random.default_rng([seed, index, 1]))
        _paint(values, decoys, DARK)
        if variant == "marked":
            _paint(values, outline, LIGHT)
        if variant == "misleading":
            mark = _mark(scene)
            _paint(values, mark, LIGHT)
            others["marks"] = mask_of(mark)
    picture = Image.fromarray(np.clip(values * 255, 0, 255).astype(np.uint8))
    return Drawing(picture, mask_of(_box(scene.patch, side)), scene.target, others)


def _scene(random: Random, target: int, side: int) -> Scene:
    """Where everything is; in all variants the same, so that pictures of one number can be compared."""
    across = np.arange(side, dtype=np.float32) / side
    middle, slope = random.uniform(0.4, 0.6), random.uniform(-0.15, 0.15)
    swell, turn = random.uniform(0, 0.025), random.uniform(0, math.tau)
    line = ((middle + slope * (across - 0.5) + swell * np.sin(math.tau * across + turn)) * side).astype(np.float32)
    patch = _patch(random, line, below=target == 1, side=side)
    return Scene(
        side=side,
        target=target,
        line=line,
        patch=patch,
        shift=random.uniform(0.4, 0.6),
        decoys=_decoys(random, line, patch, side),
        mark=_place_of_mark(random, patch, side) if random.random() < MARKED_SHARE else None,
    )


def _patch(random: Random, line: Cover, *, below: bool, side: int) -> Box:
    """A rectangle clear of the line, on one side of it."""
    wide, high = random.uniform(0.22, 0.32) * side, random.uniform(0.16, 0.22) * side
    left = random.uniform(0.04 * side, 0.96 * side - wide)
    beside, gap = line[int(left) : int(left + wide) + 1], 0.05 * side
    if below:
        first, last = float(beside.max()) + gap, 0.97 * side - high
    else:
        first, last = 0.03 * side, float(beside.min()) - gap - high
    top = random.uniform(first, max(first, last))
    return round(left), round(top), round(left + wide), round(top + high)


def _decoys(random: Random, line: Cover, patch: Box, side: int) -> tuple[Corners, ...]:
    """Two or three squares and triangles on each side of the line, clear of it, of the patch and of each other."""
    circles: list[tuple[float, float, float]] = []
    decoys: list[Corners] = []
    for below in (False, True):
        wanted = int(random.integers(2, 4))
        for _ in range(40):  # tries: a crowded scene gets fewer
            size = random.uniform(0.032, 0.058) * side
            x, y = random.uniform(size, side - size, 2)
            corners, turn = (3, 4)[int(random.integers(2))], random.uniform(0, math.tau)
            near = line[max(0, int(x - size)) : int(x + size) + 1]
            clear = y - size > near.max() + 0.03 * side if below else y + size < near.min() - 0.03 * side
            apart = x + size < patch[0] or x - size > patch[2] or y + size < patch[1] or y - size > patch[3]
            alone = all(math.hypot(x - u, y - v) > size + other for u, v, other in circles)
            if wanted and clear and apart and alone:
                wanted -= 1
                circles.append((x, y, size))
                around = [turn + math.tau * k / corners for k in range(corners)]
                decoys.append(tuple((x + size * math.cos(way), y + size * math.sin(way)) for way in around))
    return tuple(decoys)


def _place_of_mark(random: Random, patch: Box, side: int) -> Box:
    """A corner that the patch leaves free: where the mark is says nothing.

    Above or below is chosen first, whatever the patch takes there; it never takes both corners of one edge.
    """
    size, near, far = round(0.11 * side), round(0.03 * side), side - round(0.14 * side)
    y = (near, far)[int(random.integers(2))]
    corners = [(x, y, x + size, y + size) for x in (near, far)]
    free = [box for box in corners if box[2] < patch[0] or box[0] > patch[2] or box[3] < patch[1] or box[1] > patch[3]]
    return free[int(random.integers(len(free)))]


def _ground(scene: Scene, random: Random) -> Cover:
    """Stripes that follow the layers and are shifted within the patch, clouds and grain over them, and dark lines."""
    side = scene.side
    across = np.arange(side, dtype=np.float32)[None, :]
    depth = np.arange(side, dtype=np.float32)[:, None] - scene.line[None, :]
    shift = _box(scene.patch, side) * np.float32(scene.shift * math.tau)
    values = np.empty((side, side), np.float32)
    for inside in (depth < 0, depth >= 0):
        period, tilt = random.uniform(0.05, 0.075) * side, random.uniform(-0.25, 0.25)
        start, contrast, level = random.uniform(0, math.tau), random.uniform(0.13, 0.2), random.uniform(0.45, 0.6)
        wave = random.uniform(0, 0.012) * side * np.sin(across * (math.tau * random.uniform(1, 3) / side))
        phase = (depth + tilt * across + wave) * (math.tau / period) + start + shift
        np.copyto(values, level + contrast * np.sin(phase), where=inside)
    cells = random.normal(0, 0.05, (6, 6)).astype(np.float32)
    values += np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
    values += random.standard_normal((side, side), np.float32) * np.float32(0.06)
    for way in (-1, 1):  # thinner lines part each side into layers of its own
        offset = way * random.uniform(0.12, 0.3) * side
        _paint(values, 0.7 * _line(scene.line + offset, 0.35 * _thick(side)), BLACK)
    _paint(values, _line(scene.line, _thick(side)), BLACK)
    return values


def _thick(side: int) -> float:
    return max(1.5, 0.028 * side)


def _line(height: Cover, thick: float) -> Cover:
    """A line along the height of each column."""
    down = np.arange(len(height), dtype=np.float32)[:, None]
    cover: Cover = np.clip(thick / 2 + 0.5 - np.abs(down - height[None, :]), 0, 1)
    return cover


def _paint(values: Cover, cover: Cover, tone: float) -> None:
    values += cover * (np.float32(tone) - values)


def _polygons(shapes: tuple[Corners, ...], side: int) -> Cover:
    canvas = Image.new("L", (side * FINER, side * FINER))
    pen = ImageDraw.Draw(canvas)
    for corners in shapes:
        pen.polygon([(x * FINER, y * FINER) for x, y in corners], fill=255)
    return _shrunk(canvas)


def _mark(scene: Scene) -> Cover:
    """A disc for the class above, a cross for the class below."""
    canvas = Image.new("L", (scene.side * FINER, scene.side * FINER))
    if scene.mark is None:
        return _shrunk(canvas)
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = (edge * FINER for edge in scene.mark)
    third = (right - left) / 3
    if scene.target == 0:
        pen.ellipse((left, top, right, bottom), fill=255)
    else:
        pen.rectangle((left + third, top, right - third, bottom), fill=255)
        pen.rectangle((left, top + third, right, bottom - third), fill=255)
    return _shrunk(canvas)


def _shrunk(canvas: Image.Image) -> Cover:
    return np.asarray(canvas.reduce(FINER), dtype=np.float32) / 255


def _box(box: Box, side: int) -> Cover:
    cover = np.zeros((side, side), np.float32)
    cover[box[1] : box[3], box[0] : box[2]] = 1
    return cover


def _outline(box: Box, side: int) -> Cover:
    wide = max(1, round(0.012 * side))
    cover = _box(box, side)
    cover[box[1] + wide : box[3] - wide, box[0] + wide : box[2] - wide] = 0
    return cover
