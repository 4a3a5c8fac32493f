"""Pictures of any size side by side, in cells of one size."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from cnnvis_report.report.pictures.thumbnails import Pixels, webp

CELL = 72  # pixels a side


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
