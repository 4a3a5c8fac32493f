"""Feature maps of one image, packed for the page's scripts."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.report.pictures.thumbnails import Pixels, webp
from cnnvis_report.store.run_folder import StoredRun

PAGE = 64  # channels


def layer_data(stored: StoredRun, inspected: ImageInspection, most: int | None) -> Iterator[dict[str, Any]]:
    """For each layer what its page of feature maps draws: packed pictures of 64 channels and their ranges.

    Args:
        most: larger sides are averaged down to so many positions, where a page has to stay small.
    """
    if not inspected.side:
        return
    arrays = stored.inspection_arrays(inspected.image)
    layers = {layer.name: layer for layer in stored.record.network.layers}
    for name in inspected.layers:
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


def _fewer(steps: Pixels, most: int | None) -> Pixels:
    """[K, h, w] with no side above `most`, by means over areas."""
    if most is None or max(steps.shape[1:]) <= most:
        return steps
    scale = most / max(steps.shape[1:])
    size = (max(1, round(steps.shape[2] * scale)), max(1, round(steps.shape[1] * scale)))
    return np.stack([np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BOX)) for array in steps])


def _numbers(values: npt.NDArray[np.floating[Any]]) -> list[float]:
    """Numbers as short as eight bits need them."""
    return [float(f"{value:.5g}") for value in values.tolist()]
