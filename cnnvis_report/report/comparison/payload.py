"""What the scripts of a comparison's image page draw: the maps of an image, with runs in the place of classes."""

from collections.abc import Sequence
from typing import Any

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Kind
from cnnvis_report.report.bibtex import bibtex_key
from cnnvis_report.report.comparison.maps import Arrays, scaled_maps
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.payload import map_data, mask_data, method_data
from cnnvis_report.report.pictures.encode import Quality, encode_maps
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
    return mask_data(arrays[0]) | {
        "picture": data_uri(webp(arrays[0]["picture"])),
        "size": list(records[0].size),
        "scaled": True,
        "targets": [{"index": index, "name": name} for index, name in enumerate(report.names)],
        "methods": {method.key: method_data(method.info, method.title, color=False) for method in methods},
        "maps": maps,
        "facts": _facts(report, image, methods),
    }


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
        entry |= map_data(values, clipped=method.info.kind is Kind.PIXEL)
        entry["evidence"] = f"for {image.targets[index]}"
        if index != numbered[0][0]:
            entry["first"] = str(numbered[0][0])
        entries[str(index)] = entry
    return entries
