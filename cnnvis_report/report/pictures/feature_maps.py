"""Feature maps of one image, packed for the page's scripts."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.report.pictures.pack import pack
from cnnvis_report.report.pictures.palettes import Pixels, limit
from cnnvis_report.store.run_folder import StoredRun

STORED, SHOWN = 255, 63  # steps from a channel's lowest value to its highest


def layer_data(stored: StoredRun, inspected: ImageInspection, most: int | None) -> Iterator[dict[str, Any]]:
    """For each layer what its page of feature maps draws.

    Args:
        most: larger sides are averaged down to so many positions, where a page has to stay small.

    Yields:
        "name", "type" and "shape" of the layer; "cell": (height, width) of the maps; "steps", "filter" and "data":
        the packed maps, one below the other; "end": where the colors of a scale for all channels end; and by channel
        "lowest", "highest", "mean" and "relevance".
    """
    if not inspected.side:
        return
    arrays = stored.inspection_arrays(inspected.image)
    layers = {layer.name: layer for layer in stored.record.network.layers}
    for name in inspected.layers:
        steps = _fewer(arrays[f"maps/{name}"], most)
        lowest, highest, mean, relevance = arrays[f"channels/{name}"]
        values = lowest[:, None, None] + steps * ((highest - lowest) / STORED)[:, None, None]
        filtered_by, data = packed_maps(steps)
        yield {
            "name": name,
            "type": layers[name].type,
            "shape": list(layers[name].shape),
            "cell": list(steps.shape[1:]),
            "steps": SHOWN,
            "filter": filtered_by,
            "data": data,
            "end": float(f"{limit(values, clipped=True):.5g}"),
            "lowest": _numbers(lowest),
            "highest": _numbers(highest),
            "mean": _numbers(mean),
            "relevance": _numbers(relevance),
        }


def packed_maps(steps: Pixels) -> tuple[int, str]:
    """The channels [K, h, w], one below the other, with fewer steps; how their bytes are filtered, and as text."""
    fewer = (steps.astype(np.uint16) * SHOWN + STORED // 2) // STORED
    kind, data = pack(fewer.astype(np.uint8).reshape(-1, steps.shape[2]))
    return int(kind), data


def _fewer(steps: Pixels, most: int | None) -> Pixels:
    """[K, h, w] with no side above `most`, by means over areas."""
    if most is None or max(steps.shape[1:]) <= most:
        return steps
    scale = most / max(steps.shape[1:])
    size = (max(1, round(steps.shape[2] * scale)), max(1, round(steps.shape[1] * scale)))
    return np.stack([np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BOX)) for array in steps])


def _numbers(values: npt.NDArray[np.floating[Any]]) -> list[float]:
    """Numbers as short as so few steps need them."""
    return [float(f"{value:.5g}") for value in values.tolist()]
