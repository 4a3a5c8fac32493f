"""What the scripts of pages get: the data of each image, what is said of its maps, and of time and machine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import Array, Kind, MethodInfo
from cnnvis_report.records.run import RunRecord, Setting
from cnnvis_report.report.bibtex import bibtex_key
from cnnvis_report.report.pictures.encode import Quality, encode_maps
from cnnvis_report.report.pictures.outline import outline
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.pictures.thumbnails import MEDIUM, Pixels, color_picture, data_uri, webp
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.methods.method_rows import map_evidence
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.array_files.half import COLOR
from cnnvis_report.store.array_files.reduced import color_pixels

Arrays = dict[str, npt.NDArray[Any]]
UNCERTAIN = (Standing.POSSIBLY_BETTER, Standing.CHANCE, Standing.POSSIBLY_WORSE, Standing.WORSE)


def image_data(run: RunRecord, image: ImageRecord, arrays: Arrays, quality: Quality) -> dict[str, Any]:
    """Everything that an image's page draws.

    "picture" as an address, "size", "targets", "methods" by name, "maps" by method, layer and class index, and where
    there is a mask its outline in half pixels, x and y by turns.
    """
    maps: dict[str, dict[str, dict[str, Any]]] = {}
    by_method_and_layer: dict[tuple[str, str], list[MapRecord]] = {}
    for record in image.maps:
        by_method_and_layer.setdefault((record.method, record.layer), []).append(record)
    for (method, layer), records in by_method_and_layer.items():
        maps.setdefault(method, {})[layer] = _maps(run, records, arrays, quality)
    methods = {info.name: method_data(info, info.title) for info in run.methods if info.name in maps}
    return mask_data(arrays) | {
        "picture": data_uri(webp(arrays["picture"], method=MEDIUM)),
        "size": list(image.size),
        "targets": [{"index": target.index, "name": target.name} for target in image.targets],
        "methods": methods,
        "maps": maps,
    }


def method_data(info: MethodInfo, title: str, *, color: bool | None = None) -> dict[str, Any]:
    """What scripts get of a method; `color` where its maps have other pictures than its own."""
    color = info.color if color is None else color
    return {"title": title, "sign": info.shown_sign.value, "kind": info.kind.value, "color": color}


def mask_data(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """The outline of an image's mask in half pixels, x and y by turns, as "mask"; nothing without one."""
    if "mask" not in arrays:
        return {}
    polygons = outline(arrays["mask"])
    return {"mask": [[round(2 * number) for point in polygon for number in point] for polygon in polygons]}


def map_data(values: Array, *, clipped: bool) -> dict[str, Any]:
    """Where the colors of a map end, and its peak."""
    # a map of zeros has no end of its own, and leaves a shared scale to the maps of other classes
    ends = [limit(values, clipped=False), limit(values, clipped=clipped)] if values.any() else [0.0, 0.0]
    return {"ends": ends, "peak": [int(side) for side in np.unravel_index(int(values.argmax()), values.shape)]}


def first_ends(image: ImageRecord, data: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Where the colors of each method's first map end, and its largest absolute value, from an image's data.

    They cost a look at every value, and the data has them already: `scale_ends` finds the same in the arrays.
    """
    ends: dict[str, tuple[float, float]] = {}
    for method, record in image.first_maps.items():
        largest, end = data["maps"][method][record.layer][str(record.target)]["ends"]
        ends[method] = (end or 1.0, largest)
    return ends


def provenance_slots(run: RunRecord) -> dict[str, str]:
    """Words for the places of the pages that tell of time and machine, by slot."""
    facts = run.provenance
    seconds, ideal = _float(facts.get("seconds")), _float(facts.get("ideal_seconds"))
    explained = max(run.images + run.left_out, 1)  # what a repair left out had its share of the time
    computed = _float(facts.get("images_computed"))
    part = f"for {fmt.number(computed)} of {fmt.count(explained, 'image')}" if 0 < computed < explained else ""
    detail = (fmt.over_ideal(seconds, ideal), str(facts.get("device", "")), part)
    slots = {
        "took": fmt.duration(seconds),
        "took-detail": " · ".join(filter(None, detail)),
        "finished": str(facts.get("finished", "")),
    }
    by_method = facts.get("seconds_by_method")
    for name, spent in by_method.items() if isinstance(by_method, Mapping) else ():
        slots[f"seconds:{name}"] = fmt.duration(_float(spent))
        slots[f"per-image:{name}"] = fmt.duration(_float(spent) / explained)
    return slots


def _maps(run: RunRecord, records: Sequence[MapRecord], arrays: Arrays, quality: Quality) -> dict[str, dict[str, Any]]:
    """The maps of a method at a layer, by class index."""
    method = run.method(records[0].method)
    shown = [method.shown(arrays[record.key].astype(np.float32, copy=False)) for record in records]
    encoded = encode_maps(shown, method.shown_sign, quality, coarse=method.kind is Kind.LAYER)
    first = str(records[0].target)
    for record, values, entry in zip(records, shown, encoded, strict=True):
        entry |= map_data(values, clipped=method.kind is Kind.PIXEL)
        entry["evidence"] = " · ".join(map_evidence(run, record))
        if str(record.target) != first:
            entry["first"] = first
        pixels = _color_pixels(run, record, arrays)
        if pixels is not None:
            entry["picture"] = data_uri(color_picture(pixels))
    return {str(record.target): entry for record, entry in zip(records, encoded, strict=True)}


def _color_pixels(run: RunRecord, record: MapRecord, arrays: Arrays) -> Pixels | None:
    """The color picture of a map, as it is kept or made of its channels; None where it has none."""
    if record.colors:
        return arrays[f"{record.key}/{COLOR}"]
    values = arrays[record.key]
    if not run.method(record.method).color or values.ndim != 3:
        return None
    bands = run.network.bands
    return color_pixels(values if bands is None else values[[number - 1 for number in bands.numbers]])


def _float(value: Setting) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def map_facts(report: Report, image: ImageRecord) -> dict[str, Any]:
    """The facts as a page's scripts take them.

    "id", "name" and "model" in full; "noun": what a score is of; "targets": such as "triangle (69.6%)" by class index;
    "keys": BibTeX keys by method, where there is a source; "warnings": sentences by method and layer.
    """
    used = {record.method for record in image.maps}
    warnings: dict[str, dict[str, list[str]]] = {}
    for row in report.verdicts:
        if row.method in used and (sentences := list(_warnings(report, row))):
            warnings.setdefault(row.method, {})[row.layer] = sentences
    return {
        "id": image.id,
        "name": image.name,
        "model": report.network.name,
        "noun": fmt.column(report.network.kind),
        "targets": {str(target.index): fmt.named_score(target) for target in image.targets},
        "keys": {info.name: bibtex_key(info) for info in report.run.methods if info.name in used and bibtex_key(info)},
        "warnings": warnings,
    }


def _warnings(report: Report, row: MethodEvidence) -> Iterator[str]:
    """What a reader of a method's map has to know before it is believed."""
    if row.standing in UNCERTAIN:
        yield f"⚠ {str(row.standing).capitalize()}{_difference(report, row)}"
    for check in row.failures:
        yield f"⚠ {check.name.capitalize()}: {check.reason}"
    if row.same_as:
        yield f"Same map as {words.title(report.run, row.same_as)}: {row.same_because}"


def _difference(report: Report, row: MethodEvidence) -> str:
    """How far from a random map, such as ": relevance gain (mean) +0.01 [−0.02, 0.04] to it (n = 16)"."""
    name = report.evidence.faithfulness if report.evidence else ""
    measured = row.measures.get(name)
    if measured is None or measured.difference is None:
        return ""
    metric = words.metric(report.run, name)
    text = words.difference(measured.difference, percent=metric.percent)
    return f": {words.within_sentence(metric.title)} {text} to it (n = {measured.difference.images})"
