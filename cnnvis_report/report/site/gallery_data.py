"""All images of the gallery as data: columns that scripts filter and order ten thousand images by at once."""

import re
from collections.abc import Sequence
from typing import Any

from cnnvis_report.report.views.overview.gallery import GalleryItem, figure_methods, gallery_items
from cnnvis_report.report.views.report import Report

GALLERY = "gallery"  # what the data is called
DIGITS = 6  # after the point: more than any page shows


def gallery_data(report: Report) -> dict[str, Any]:
    """A column a property, each in input order; names of classes and verdicts as places in lists of their own.

    "classes" is in alphabetical order, so that places sort as names do. "byName" has the place of each image among all
    names, "without" the places of the images that have no map of a method, "measures" null where an image has no value.
    """
    items = list(gallery_items(report))
    classes = sorted({name for item in items for name in (*item.labels, *item.predicted)}, key=_natural)
    numbers = {name: number for number, name in enumerate(classes)}
    with_maps = {method for item in items for method in item.methods}
    verdicts = sorted({(item.verdict.state, item.judged) for item in items})
    return {
        "ids": [item.id for item in items],
        "names": [item.name for item in items],
        "byName": ranks([_natural(item.name) for item in items]),
        "classes": classes,
        "labels": [[numbers[name] for name in item.labels] for item in items],
        "predicted": [[numbers[name] for name in item.predicted] for item in items],
        "scores": [round(item.score, DIGITS) for item in items],
        "captions": [item.caption for item in items],
        "verdicts": verdicts,
        "verdict": [verdicts.index((item.verdict.state, item.judged)) for item in items],
        "measures": _measures(items),
        "without": _without(items),
        "methods": {method.name: method.title for method in report.run.methods if method.name in with_maps},
        "figure": figure_methods(report),
    }


def _measures(items: Sequence[GalleryItem]) -> dict[str, list[float | None]]:
    names = sorted({name for item in items for name in item.measures})
    return {name: [_rounded(item.measures.get(name)) for item in items] for name in names}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _without(items: Sequence[GalleryItem]) -> dict[str, list[int]]:
    """The places of the images that have no map of a method, where others have one."""
    methods = sorted({method for item in items for method in item.methods})
    gaps = {method: [n for n, item in enumerate(items) if method not in item.methods] for method in methods}
    return {method: images for method, images in gaps.items() if images}


def ranks(keys: Sequence[Any]) -> list[int]:
    """The place of each key among all, from 0."""
    ranks = [0] * len(keys)
    for rank, number in enumerate(sorted(range(len(keys)), key=lambda number: keys[number])):
        ranks[number] = rank
    return ranks


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which "image 9" comes before "image 10", whatever the case of letters."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
