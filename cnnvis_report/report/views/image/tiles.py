"""The maps on the page of an image: a tile a method, by family, those with the same map as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence import words
from cnnvis_report.evidence.families import by_family
from cnnvis_report.records.images import ImageRecord, MapRecord, NotApplicableRecord
from cnnvis_report.records.methods import Kind, MethodInfo, Reduction, Sign
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.drawing import bar_colors
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.map_metrics import measured_of
from cnnvis_report.report.views.methods.method_rows import map_evidence
from cnnvis_report.report.views.report import Report

RAMP = 17  # colors that a color bar is made of

ScaleEnds = Mapping[str, tuple[float, float]]  # by method


@dataclass(frozen=True)
class Tile:
    """A method on an image page.

    first: the map that is shown first; None where there is none. ramp: its colors, as a CSS gradient.
    scale: the numbers at the ends and in the middle of the ramp, and what ends it; empty where there is no map.
    score: what the map of the first class scored on this image, in words; empty where that wasn't measured.
    warnings: why its maps aren't to be believed here. evidence: what is stated of the map, and what it took.
    gaps: maps that there aren't, with the reason. same: titles of the methods that give the same map, and why.
    """

    method: MethodInfo
    first: MapRecord | None
    ramp: str
    scale: tuple[str, ...]
    score: str
    warnings: tuple[str, ...]
    evidence: tuple[str, ...]
    gaps: tuple[NotApplicableRecord, ...]
    same: tuple[tuple[MethodInfo, str], ...]


@dataclass(frozen=True)
class Section:
    """A family of methods on an image page; the note holds for all of its maps."""

    family: str
    note: str
    tiles: tuple[Tile, ...]


def sections(report: Report, image: ImageRecord, ends: ScaleEnds) -> list[Section]:
    """The methods by family; one with neither map nor gap doesn't apply to the network."""
    same = _same(report, image)
    parts = []
    for family, methods in groupby(by_family(report.run.methods), key=lambda method: method.family):
        tiles = tuple(_tile(report, image, method, same, ends) for method in methods if method.name not in same)
        if tiles:
            over = "bands" if report.network.bands is not None else "color channels"
            parts.append(Section(family, _note(tiles, over), tiles))
    return parts


def ramp(method: MethodInfo) -> str:
    """The colors of a method's maps, as they are first drawn, as a CSS gradient."""
    return gradient(bar_colors(method.shown_sign, method.kind, steps=RAMP).tolist())


def bar(method: MethodInfo, end: float, largest: float) -> tuple[str, tuple[str, str, str, str]]:
    """The colors of single bands of a pixel method's maps, and the words below them."""
    colors = bar_colors(method.sign, method.kind, steps=RAMP).tolist()
    return gradient(colors), _scale(replace(method, reduction=Reduction.SUM), end, largest, "the bands")


def gradient(colors: Sequence[Sequence[int]]) -> str:
    """Colors from left to right, in CSS."""
    return f"linear-gradient(to right, {', '.join(f'rgb({red} {green} {blue})' for red, green, blue in colors)})"


def scale_ends(run: RunRecord, image: ImageRecord, arrays: Mapping[str, npt.NDArray[Any]]) -> ScaleEnds:
    """Where the colors of each method's first map end, and its largest absolute value."""
    ends: dict[str, tuple[float, float]] = {}
    for name, record in image.first_maps.items():
        method = run.method(name)
        values = method.shown(arrays[record.key].astype(np.float32, copy=False))
        ends[name] = (limit(values, clipped=method.kind is Kind.PIXEL), float(np.abs(values).max()))
    return ends


def _scale(method: MethodInfo, end: float, largest: float, of: str = "this map") -> tuple[str, str, str, str]:
    """The words below a color bar, as the page's scripts have them."""
    beyond = largest > end * 1.0001
    high = f"{'≥ ' if beyond else ''}{fmt.number(end)}"
    if not largest:
        whose = f"0 everywhere in {of}"
    elif method.kind is Kind.PIXEL:
        whose = f"99th percentile of {of}"
    else:
        whose = f"{'max |value|' if method.shown_sign is Sign.SIGNED else 'max'} of this map"
    if method.shown_sign is Sign.POSITIVE:
        return "0", "", high, whose
    return f"{'≤ ' if beyond else ''}{fmt.number(-end)}", "0", high, whose


def _same(report: Report, image: ImageRecord) -> dict[str, tuple[str, str]]:
    """The methods whose maps are all those of another one, with the other's name and the reason."""
    have = {record.method for record in image.maps}
    same: dict[str, tuple[str, str]] = {}
    for name, rows in groupby(sorted(report.verdicts, key=lambda row: row.method), key=lambda row: row.method):
        others = [(row.same_as.partition("@")[0], row.same_because) for row in rows]
        first, reason = others[0]
        if first and {other for other, _ in others} == {first} and {name, first} <= have:
            same[name] = (first, reason)
    return same


def _tile(
    report: Report, image: ImageRecord, method: MethodInfo, same: dict[str, tuple[str, str]], ends: ScaleEnds
) -> Tile:
    maps = [record for record in image.maps if record.method == method.name]
    gaps = [gap for gap in (*report.run.not_applicable, *image.not_applicable) if gap.method in (method.name, "")]
    if method.name in report.quality.left_out:
        gaps.append(NotApplicableRecord(method.name, "left out, so that this file stays small"))
    first = image.first_maps.get(method.name)
    return Tile(
        method=method,
        first=first or (maps[0] if maps else None),
        ramp=ramp(method),
        scale=_scale(method, *ends[method.name]) if first else (),
        score=_score(report, image, first) if first else "",
        warnings=_warnings(report, method),
        evidence=tuple(map_evidence(report.run, first)) if first else (),
        gaps=tuple(gaps),
        same=tuple((report.run.method(name), why) for name, (other, why) in same.items() if other == method.name),
    )


def _score(report: Report, image: ImageRecord, record: MapRecord) -> str:
    """What a map scored on the measure that ranks, beside random maps of the same image."""
    name = report.evidence.faithfulness if report.evidence else ""
    measured = measured_of(image.metrics, record, name)
    if measured is None:
        return ""
    metric = words.metric(report.run, name)
    value, random = (_short(number, percent=metric.percent) if number is not None else "" for number in measured)
    return f"{metric.title} here: {value}{f' (random maps: {random})' if random else ''}"


def _short(value: float, *, percent: bool) -> str:
    return words.single(value, percent=True) if percent else words.number(value, 2)


def _warnings(report: Report, method: MethodInfo) -> tuple[str, ...]:
    """The reasons of the checks that it failed."""
    reasons = [check.reason for row in report.verdicts if row.method == method.name for check in row.failures]
    return tuple(dict.fromkeys(reasons))


def _note(tiles: Sequence[Tile], over: str) -> str:
    """What holds for all tiles of a section: how channels were reduced, or how large the maps are."""
    methods = [tile.method for tile in tiles if tile.first]
    if methods and all(method.kind is Kind.LAYER for method in methods):
        shapes = {tile.first.shape for tile in tiles if tile.first}
        return " and ".join(fmt.sides(shape) for shape in sorted(shapes))
    if methods and all(method.kind is Kind.PIXEL for method in methods):
        names = {Reduction.SUM: "sum", Reduction.ABS_MAX: "largest |value|"}
        if len({method.reduction for method in methods}) == 1:
            return f"{names[methods[0].reduction]} over the {over}"
        return f"one value per pixel: the sum over the {over}, or their largest |value|"
    return ""
