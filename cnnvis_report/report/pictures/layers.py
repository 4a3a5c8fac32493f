"""Pictures and data of what is inside the network: kernels, feature maps, projections, preferred inputs."""

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from cnnvis_report.records.inspection import ImageInspection, KernelRecord
from cnnvis_report.records.methods import Array, Sign
from cnnvis_report.report.pictures.focus import focus
from cnnvis_report.report.pictures.palettes import colors, limit
from cnnvis_report.report.pictures.thumbnails import Pixels, gray, webp
from cnnvis_report.store.names import NETWORK
from cnnvis_report.store.run_folder import StoredRun

KERNEL = 26  # pixels of a kernel of a first layer
CELL = 72
SUMMARY = 96
MOST, WIDEST = 16, 1100  # kernels in a row, and pixels
SLICES = 16  # of a kernel of a deeper layer, at most
INK = (128, 128, 128, 255)  # seen on light and on dark ground
PAGE = 64  # channels
Pictures = Iterator[tuple[str, bytes]]


def network_pictures(run: StoredRun) -> Pictures:
    """By name: kernels, the strongest images of channels, and preferred inputs."""
    inside = run.record.inspection
    if inside is None:
        return
    arrays = run.inspection_arrays(NETWORK)
    for number, kernels in enumerate(inside.kernels):
        values = arrays[f"kernels/{kernels.layer}"]
        yield f"kernels-{number}", kernel_sheet(values, kernels, own=False)
        yield f"kernels-{number}-own", kernel_sheet(values, kernels, own=True)
    for number, top in enumerate(inside.top_images):
        key = f"top_images/{top.layer}/{top.channel}"
        rows = [
            [arrays[f"{key}/{place}/{what}"] for place in range(len(top.units))]
            for what in ("crop", inside.projection_rules[0])
        ]
        yield f"top-{number}", sheet(rows)
    for number in range(len(inside.maximized)):
        yield f"preferred-{number}", webp(arrays[f"maximized/{number}"], lossless_up_to=0)
        yield f"film-{number}", sheet([list(arrays[f"frames/{number}"])])


def image_pictures(run: StoredRun, inside: ImageInspection) -> Pictures:
    """By name: each layer as one picture, projections, class maps and inversions of one image."""
    arrays = run.inspection_arrays(inside.image)
    ways = run.record.inspection.projection_rules if run.record.inspection else ()
    picture = run.arrays(inside.image)["picture"]
    for number, layer in enumerate(inside.layers):
        summary = arrays[f"summary/{layer}"].astype(np.float32)
        yield f"summary-{number}", _over(picture, summary, Sign.POSITIVE)
        yield f"focus-{number}", _focused(picture, summary)
    for number, (layer, units) in enumerate(inside.units):
        for place in range(len(units)):
            for what in ("crop", *ways):
                yield f"unit-{number}-{place}-{what}", sheet([[arrays[f"units/{layer}/{place}/{what}"]]])
    for each in inside.classes:
        yield f"class-{each.index}", _over(picture, arrays[f"classes/{each.index}"], Sign.SIGNED)
    for number, inverted in enumerate(inside.inverted):
        yield f"inverted-{number}", webp(arrays[f"inverted/{inverted.layer}"], lossless_up_to=0)


def stage_data(run: StoredRun, inside: ImageInspection, most: int | None) -> Iterator[dict[str, Any]]:
    """For each layer what its page of feature maps draws: packed pictures of 64 channels and their ranges.

    Args:
        most: larger sides are averaged down to so many positions, where a page has to stay small.
    """
    if not inside.side:
        return
    arrays = run.inspection_arrays(inside.image)
    layers = {layer.name: layer for layer in run.record.network.layers}
    for name in inside.layers:
        steps = _fewer(arrays[f"maps/{name}"], most)
        lowest, highest, mean, relevance = (_numbers(row) for row in arrays[f"channels/{name}"])
        pages = [packed_page(steps[first : first + PAGE]) for first in range(0, len(steps), PAGE)]
        layer = layers[name]
        yield {
            "name": name,
            "type": layer.type,
            "shape": list(layer.shape),
            "cell": list(steps.shape[1:]),
            "pages": pages,
            "lowest": lowest,
            "highest": highest,
            "mean": mean,
            "relevance": relevance,
        }


def packed_page(steps: Pixels) -> str:
    """Up to 64 channels [K, h, w], one below the other, as an address of one picture without loss."""
    content = webp(steps.reshape(-1, steps.shape[2]), lossless_up_to=10**9)
    return "data:image/webp;base64," + b64encode(content).decode()


def kernel_sheet(values: Array, record: KernelRecord, *, own: bool) -> bytes:
    """Kernels side by side with their indices: colors where they read the picture, else slices in a block.

    One symmetric scale for all, gray is zero, or one for each kernel where `own`.
    """
    ends = np.abs(values).max(axis=(1, 2, 3), keepdims=True) if own else np.abs(values).max()
    shares = np.clip(values / np.where(ends > 0, ends, 1), -1, 1)
    pixels = np.floor((shares + 1) * 127.5 + 0.5).astype(np.uint8)
    blocks = [_block(kernel, record.first) for kernel in pixels]
    height, width = blocks[0].shape[:2]
    drawn = Image.new("RGBA", kernel_sheet_size(record))
    across = drawn.width // (width + 6)
    draw = ImageDraw.Draw(drawn)
    for place, (block, channel) in enumerate(zip(blocks, record.channels, strict=True)):
        left, top = place % across * (width + 6), place // across * (height + 16)
        drawn.paste(Image.fromarray(block), (left, top))
        draw.text((left + width / 2, top + height + 1), str(channel), fill=INK, anchor="ma", font_size=10)
    return webp(np.asarray(drawn), lossless_up_to=10**9)


def kernel_sheet_size(record: KernelRecord) -> tuple[int, int]:
    """(width, height) of the picture of a layer's kernels, so that a page can leave room for it."""
    count = min(SLICES, record.shape[1])
    kernel = np.zeros((record.shape[1] if record.first else count, *record.shape[2:]), np.uint8)
    height, width = _block(kernel, record.first).shape[:2]
    across = max(1, min(MOST, len(record.channels), WIDEST // (width + 6)))
    return across * (width + 6), math.ceil(len(record.channels) / across) * (height + 16)


def sheet(rows: Sequence[Sequence[Pixels]]) -> bytes:
    """Pictures of any size in cells of one size, each whole and in the middle of its cell."""
    drawn = Image.new("RGB", (len(rows[0]) * CELL, len(rows) * CELL), (128, 128, 128))
    for down, row in enumerate(rows):
        for across, pixels in enumerate(row):
            picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
            scale = CELL / max(picture.size)
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            way = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
            left, top = across * CELL + (CELL - size[0]) // 2, down * CELL + (CELL - size[1]) // 2
            drawn.paste(picture.resize(size, way), (left, top))
    return webp(np.asarray(drawn), quality=82, lossless_up_to=0)


def _block(kernel: Pixels, first: bool) -> Pixels:
    """One kernel [S, kh, kw] as a picture: in color, or its slices in a square."""
    if first and kernel.shape[0] in (1, 3):
        color = np.repeat(kernel, 3, axis=0) if kernel.shape[0] == 1 else kernel
        return _grown(color.transpose(1, 2, 0), max(1, KERNEL // kernel.shape[1]))
    across = math.ceil(math.sqrt(len(kernel)))
    down = math.ceil(len(kernel) / across)
    height, width = kernel.shape[1:]
    scale = max(1, 9 // max(height, width))
    drawn = np.full((down * (height * scale + 1), across * (width * scale + 1), 3), 128, np.uint8)
    for place, values in enumerate(kernel):
        cell = _grown(np.repeat(values[..., None], 3, axis=2), scale)
        top, left = place // across * (height * scale + 1), place % across * (width * scale + 1)
        drawn[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return drawn


def _grown(pixels: Pixels, scale: int) -> Pixels:
    return np.ascontiguousarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1))


def _over(picture: Pixels, values: Array, sign: Sign) -> bytes:
    """A coarse map in color over the gray picture."""
    size = _size(picture)
    below = np.asarray(Image.fromarray(gray(picture)).resize(size, Image.Resampling.BILINEAR))[..., None]
    grown = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
    drawn = below * 0.3 + colors(grown, limit(values, clipped=False), sign) * 0.7
    return webp(np.floor(drawn + 0.5).astype(np.uint8), quality=80, lossless_up_to=0)


def _focused(picture: Pixels, summary: Array) -> bytes:
    """The picture, small, sharp where the layer has something to say."""
    small = Image.fromarray(picture).resize(_size(picture), Image.Resampling.LANCZOS)
    grown = np.asarray(Image.fromarray(summary).resize(small.size, Image.Resampling.BILINEAR))
    return webp(focus(np.asarray(small), np.clip(grown, 0, 1)), quality=80, lossless_up_to=0)


def _size(picture: Pixels) -> tuple[int, int]:
    """(width, height) of a small picture."""
    scale = SUMMARY / max(picture.shape[:2])
    return max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))


def _fewer(steps: Pixels, most: int | None) -> Pixels:
    """[K, h, w] with no side above `most`, by means over areas."""
    if most is None or max(steps.shape[1:]) <= most:
        return steps
    scale = most / max(steps.shape[1:])
    size = (max(1, round(steps.shape[2] * scale)), max(1, round(steps.shape[1] * scale)))
    return np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX)) for each in steps])


def _numbers(values: npt.NDArray[np.floating[Any]]) -> list[float]:
    """Numbers as short as eight bits need them."""
    return [float(f"{value:.5g}") for value in values.tolist()]
