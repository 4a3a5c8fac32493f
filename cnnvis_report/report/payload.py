"""What a page's scripts get: one package of data an image, the palettes, and the provenance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import Kind, MethodInfo
from cnnvis_report.records.run import RunRecord, Setting
from cnnvis_report.report.pictures.encode import Quality, encode_map
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.pictures.thumbnails import color_picture, data_uri, webp
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.images import evidence_of

Arrays = dict[str, npt.NDArray[Any]]


def image_data(run: RunRecord, image: ImageRecord, arrays: Arrays, quality: Quality) -> dict[str, Any]:
    """Everything that an image's page draws.

    "picture" as an address, "size", "targets", "methods" by name, and "maps" by method, layer and class index.
    """
    maps: dict[str, dict[str, dict[str, Any]]] = {}
    for found in image.maps:
        encoded = _map(run.method(found.method), found, arrays[found.key], quality)
        maps.setdefault(found.method, {}).setdefault(found.layer, {})[str(found.target)] = encoded
    methods = {
        card.name: {"title": card.title, "sign": card.shown_sign.value, "kind": card.kind.value, "color": card.color}
        for card in run.methods
        if card.name in maps
    }
    return {
        "picture": data_uri(webp(arrays["picture"])),
        "size": list(image.size),
        "targets": [{"index": target.index, "name": target.name} for target in image.targets],
        "methods": methods,
        "maps": maps,
    }


def provenance_slots(run: RunRecord) -> dict[str, str]:
    """Words for the places of the pages that tell of time and machine, by slot."""
    facts = run.provenance
    seconds, bound = _float(facts.get("seconds")), _float(facts.get("ideal_seconds"))
    share = fmt.of_the_bound(seconds, bound)
    ratio = f"{share} · " if share else ""
    explained = max(run.images + run.left_out, 1)  # what a repair left out had its share of the time
    computed = _float(facts.get("images_computed"))
    part = f" · for {fmt.number(computed)} of {fmt.count(explained, 'image')}" if 0 < computed < explained else ""
    slots = {
        "took": fmt.duration(seconds),
        "took-detail": f"{ratio}{facts.get('device', '')}{part}",
        "finished": str(facts.get("finished", "")),
        "bound": fmt.duration(bound),
    }
    by_method = facts.get("seconds_by_method")
    for name, spent in by_method.items() if isinstance(by_method, Mapping) else ():
        slots[f"seconds:{name}"] = fmt.duration(_float(spent))
        slots[f"per-image:{name}"] = _milliseconds(_float(spent) / explained)
    return slots


def provenance_rows(run: RunRecord) -> list[tuple[str, str]]:
    """Versions and machine, for the page about the run."""
    facts = run.provenance
    versions = facts.get("versions")
    named = [(name, str(number)) for name, number in versions.items()] if isinstance(versions, Mapping) else []
    return [
        ("Device", str(facts.get("device", ""))),
        *named,
        ("Python", str(facts.get("python", ""))),
        ("System", str(facts.get("system", ""))),
    ]


def _map(card: MethodInfo, found: MapRecord, values: npt.NDArray[Any], quality: Quality) -> dict[str, Any]:
    shown = card.shown(values.astype(np.float32, copy=False))
    encoded = encode_map(shown, card.shown_sign, quality, coarse=card.kind is Kind.LAYER)
    # a map of zeros has no end of its own, and leaves a shared scale to the maps of other classes
    clipped = card.kind is Kind.PIXEL
    encoded["ends"] = [limit(shown, clipped=False), limit(shown, clipped=clipped)] if shown.any() else [0.0, 0.0]
    encoded["evidence"] = " · ".join(evidence_of(found, card))
    place = np.unravel_index(int(shown.argmax()), shown.shape)
    encoded["peak"] = [int(side) for side in place]
    if card.color and values.ndim == 3:
        encoded["picture"] = data_uri(color_picture(values))
    return encoded


def _float(value: Setting) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}" if seconds >= 0.01 else f"{seconds * 1000:.1f}"
