"""Pictures of any size side by side, in cells of one size."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from cnnvis_report.report.pictures.thumbnails import MEDIUM, Pixels, webp

CELL = 112  # pixels that a cell has about
GAP = 2  # pixels between cells
QUALITY = 76  # of WebP


def cell_of(longest: int) -> int:
    """The side of a cell for pictures of at most so many pixels a side: as they are, or grown in whole steps."""
    return longest * max(1, round(CELL / longest))


def sheet_size(columns: int, rows: int, cell: int) -> tuple[int, int]:
    """(width, height) of so many cells, so that a page can leave room for them."""
    return columns * (cell + GAP) - GAP, rows * (cell + GAP) - GAP


def sheet(rows: Sequence[Sequence[Pixels]], cell: int = 0) -> bytes:
    """Pictures of any size in cells of one size, all at one scale, each whole and in the middle of its cell.

    Args:
        cell: pixels a side; what the largest picture takes where it is 0.
    """
    longest = max(max(pixels.shape[:2]) for row in rows for pixels in row)
    cell = cell or cell_of(longest)
    scale = cell / longest
    drawn = Image.new("RGB", sheet_size(len(rows[0]), len(rows), cell), (128, 128, 128))
    for down, row in enumerate(rows):
        for across, pixels in enumerate(row):
            picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            way = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
            left, top = across * (cell + GAP) + (cell - size[0]) // 2, down * (cell + GAP) + (cell - size[1]) // 2
            drawn.paste(picture.resize(size, way), (left, top))
    return webp(np.asarray(drawn), quality=QUALITY, lossless_up_to=0, method=MEDIUM)
