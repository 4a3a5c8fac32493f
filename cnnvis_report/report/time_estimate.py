"""How long the pages will take: a map of noise is written as a page has it, and stands for all of its size."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from cnnvis_report.data.prefetch import processors
from cnnvis_report.records.methods import Kind, MethodInfo
from cnnvis_report.report.pictures.encode import QUALITIES, encode_maps
from cnnvis_report.report.pictures.thumbnails import color_picture, map_thumbnail
from cnnvis_report.store.array_files.reduced import color_pixels

WORKERS = 4


def pages_seconds(maps: Sequence[tuple[MethodInfo, tuple[int, ...]]], images: int, classes: int) -> float:
    """Seconds for the pages of so many images.

    Args:
        maps: each method's card, and the shape of its map of one class. classes: of an image.
    """
    fine = [(card, shape) for card, shape in maps if card.kind is not Kind.LAYER and len(shape) >= 2]
    if not fine:
        return 0.0
    card, shape = fine[0]
    values = np.random.default_rng(0).normal(size=(3, *shape[-2:])).astype(np.float32)
    encoding = _seconds(lambda: encode_maps([values[0]], card.shown_sign, QUALITIES[0], coarse=False))
    picture = np.zeros((*shape[-2:], 3), np.uint8)
    drawing = _seconds(lambda: map_thumbnail(picture, values[0], card))
    coloring = _seconds(lambda: color_picture(color_pixels(values)))
    colored = sum(card.color for card, _ in fine)
    an_image = classes * (len(fine) * encoding + colored * coloring) + len(maps) * drawing
    return images * an_image / processors(WORKERS)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
