"""What the scripts of a comparison's image page draw: the maps of an image, with runs in the place of classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Array, Kind
from cnnvis_report.report.bibtex import bibtex_key
from cnnvis_report.report.comparison.maps import Arrays, scaled_maps
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.pictures.encode import Quality, encode_maps
from cnnvis_report.report.pictures.outline import outline
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.pictures.thumbnails import data_uri, webp


def image_data(
    report: ComparedReport,
    image: ComparedImage,
    records: Sequence[ImageRecord],
    arrays: Sequence[Arrays],
    quality: Quality,
) -> dict[str, Any]:
    """Everything that an image's page draws, in the form of a run's image page; a "target" is a run.

    "scaled" says that each map was divided by the value where its colors end, so that no scale is shared.
    """
    methods = [method for method in report.methods if any(image.keys.get(method.key, ()))]
    maps = {method.key: {"": _maps(image, method, arrays, quality)} for method in methods}
    mask = arrays[0].get("mask")
    lines = (
        [[round(2 * number) for point in polygon for number in point] for polygon in outline(mask)]
        if (mask is not None)
        else None
    )
    return ({"mask": lines} if lines is not None else {}) | {
        "picture": data_uri(webp(arrays[0]["picture"])),
        "size": list(records[0].size),
        "scaled": True,
        "targets": [{"index": index, "name": name} for index, name in enumerate(report.names)],
        "methods": {
            method.key: {
                "title": _title(method), "sign": method.info.shown_sign.value, "kind": method.info.kind.value,
                "color": False,
            }
            for method in methods
        },
        "maps": maps,
        "facts": _facts(report, image, methods),
    }  # fmt: skip


def _title(method: ComparedMethod) -> str:
    layer = method.key.partition("@")[2]
    return f"{method.info.title} at {layer}" if layer else method.info.title


def _facts(report: ComparedReport, image: ComparedImage, methods: Sequence[ComparedMethod]) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "model": " and ".join(dict.fromkeys(run.network for run in report.comparison.runs)),
        "noun": "run",
        "targets": {str(index): name for index, name in enumerate(report.names)},
        "keys": {method.key: key for method in methods if (key := bibtex_key(method.info))},
        "warnings": {},
    }


def _maps(
    image: ComparedImage, method: ComparedMethod, arrays: Sequence[Arrays], quality: Quality
) -> dict[str, dict[str, Any]]:
    """The maps of a method, by the number of the run."""
    scaled = scaled_maps(method, image.keys[method.key], arrays)
    numbered = [(index, values) for index, values in enumerate(scaled) if values is not None]
    shown = [values for _, values in numbered]
    encoded = encode_maps(shown, method.info.shown_sign, quality, coarse=method.info.kind is Kind.LAYER)
    entries = {}
    for (index, values), entry in zip(numbered, encoded, strict=True):
        entry |= _reading(method, values) | {"evidence": f"for {image.targets[index]}"}
        if index != numbered[0][0]:
            entry["first"] = str(numbered[0][0])
        entries[str(index)] = entry
    return entries


def _reading(method: ComparedMethod, values: Array) -> dict[str, Any]:
    """Where the colors of a map end, and its peak."""
    clipped = method.info.kind is Kind.PIXEL
    ends = [limit(values, clipped=False), limit(values, clipped=clipped)] if values.any() else [0.0, 0.0]
    return {"ends": ends, "peak": [int(side) for side in np.unravel_index(int(values.argmax()), values.shape)]}
