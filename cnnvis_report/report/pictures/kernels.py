"""Kernels of a convolution as one picture."""

import math

import numpy as np
from PIL import Image, ImageDraw

from cnnvis_report.records.inspection import InspectionRecord, KernelRecord
from cnnvis_report.records.methods import Array
from cnnvis_report.report.pictures.thumbnails import Pixels, webp

KERNEL = 26  # pixels of a kernel of a first layer
MOST, WIDEST = 16, 1100  # kernels in a row, and pixels
SLICES = 16  # of a kernel of a deeper layer, at most
INK = (128, 128, 128, 255)  # seen on light and on dark ground


def shown_kernels(inspection: InspectionRecord) -> list[tuple[int, KernelRecord]]:
    """Numbered: those that read the picture itself, which are pictures; of a full inspection the deeper ones, too."""
    whole = inspection.budget == "full"
    return [(number, record) for number, record in enumerate(inspection.kernels) if record.first or whole]


def kernel_sheet(values: Array, record: KernelRecord, *, per_kernel: bool) -> bytes:
    """Kernels side by side with their indices: colors where they read the picture, else slices in a block.

    One symmetric scale for all, gray is zero, or one for each kernel where `per_kernel`.
    """
    ends = np.abs(values).max(axis=(1, 2, 3), keepdims=True) if per_kernel else np.abs(values).max()
    shares = np.clip(values / np.where(ends > 0, ends, 1), -1, 1)
    pixels = np.floor((shares + 1) * 127.5 + 0.5).astype(np.uint8)
    blocks = [_block(kernel, record.first) for kernel in pixels]
    height, width = blocks[0].shape[:2]
    drawn = Image.new("RGBA", kernel_sheet_size(record))
    across = drawn.width // (width + 6)
    draw = ImageDraw.Draw(drawn)
    for index, (block, channel) in enumerate(zip(blocks, record.channels, strict=True)):
        left, top = index % across * (width + 6), index // across * (height + 16)
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
    for index, values in enumerate(kernel):
        cell = _grown(np.repeat(values[..., None], 3, axis=2), scale)
        top, left = index // across * (height * scale + 1), index % across * (width * scale + 1)
        drawn[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return drawn


def _grown(pixels: Pixels, scale: int) -> Pixels:
    return np.ascontiguousarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1))
