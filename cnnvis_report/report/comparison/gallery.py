"""The gallery of a comparison: images by what became of them, with the maps of all runs side by side."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cnnvis_report.records.compared_images import ComparedImage, Flip
from cnnvis_report.report.comparison.predicted import predicted
from cnnvis_report.report.comparison.report import ComparedReport, moved, strongest_flip
from cnnvis_report.report.comparison.stills import MAPS

PAGE = 60  # images that are shown at a time, as in the gallery of a run
WORDS = {
    Flip.BROKEN: "broken",
    Flip.FIXED: "fixed",
    Flip.CHANGED: "other class",
    Flip.WRONG: "wrong in both",
    Flip.RIGHT: "right in both",
    Flip.SAME: "same class",
}


@dataclass(frozen=True)
class ComparedItem:
    """An image of the gallery: what became of it, and what each run predicts."""

    id: str
    name: str
    state: str
    words: str
    lines: list[str]
    maps: bool


@dataclass(frozen=True)
class ComparedGallery:
    """What the page shows of the gallery before any script runs.

    more: the images behind the first page, by name alone. verdicts: state, title and number of images. shown: the title
    of the method whose maps are shown. runs: how many there are. left_out: images without a page.
    """

    items: list[ComparedItem]
    more: list[ComparedItem]
    verdicts: list[tuple[str, str, int]]
    labeled: bool
    moving: bool
    shown: str
    runs: list[str]
    left_out: int


def compared_gallery(report: ComparedReport) -> ComparedGallery:
    """Gather the gallery."""
    items = [_item(report, image) for image in report.images]
    counts = Counter(strongest_flip(image) for image in report.images)
    verdicts = [
        (str(flip), words.capitalize(), counts[flip])
        for flip in WORDS
        if counts[flip] and (words := _words(report, flip))
    ]
    return ComparedGallery(
        items=items[:PAGE],
        more=items[PAGE:],
        verdicts=[("", "All", len(items)), *verdicts],
        labeled=any(image.label for image in report.images),
        moving=any(moved(image) is not None for image in report.images),
        shown=report.shown.info.title if report.shown else "",
        runs=report.names,
        left_out=report.left_out,
    )


def compared_gallery_data(report: ComparedReport) -> dict[str, Any]:
    """The same of all images as columns, in the form of a run's gallery."""
    images = report.images
    names = {*(image.label for image in images), *(p.name for image in images for p in image.predictions)} - {""}
    classes = sorted(names)
    number = {name: index for index, name in enumerate(classes)}
    verdicts = [(str(flip), _words(report, flip)) for flip in WORDS]
    flips = [strongest_flip(image) for image in images]
    ranks = {
        id: rank for rank, id in enumerate(sorted(report.position, key=lambda id: images[report.position[id]].name))
    }
    return {
        "ids": [image.id for image in images],
        "names": [image.name for image in images],
        "byName": [ranks[image.id] for image in images],
        "classes": classes,
        "labels": [[number[image.label]] if image.label else [] for image in images],
        "predicted": [list(dict.fromkeys(number[p.name] for p in image.predictions if p.name)) for image in images],
        "scores": [image.predictions[-1].probability or 0.0 for image in images],
        "captions": [" → ".join(map(predicted, image.predictions)) for image in images],
        "verdicts": verdicts,
        "verdict": [list(WORDS).index(flip) for flip in flips],
        "measures": {"moved": [moved(image) for image in images]},
        "without": {MAPS: [index for index, image in enumerate(images) if not _has_maps(report, image)]},
        "methods": {MAPS: report.shown.info.title} if report.shown else {},
        "figure": [],
    }


def _item(report: ComparedReport, image: ComparedImage) -> ComparedItem:
    flip = strongest_flip(image)
    lines = [" → ".join(map(predicted, image.predictions))]
    return ComparedItem(image.id, image.name, str(flip), _words(report, flip), lines, _has_maps(report, image))


def _words(report: ComparedReport, flip: Flip) -> str:
    if not report.runs[0].record.network.kind.has_classes:
        return ""  # values are neither right nor another class
    return WORDS[flip] if len(report.runs) == 2 else WORDS[flip].replace("in both", "in all")


def _has_maps(report: ComparedReport, image: ComparedImage) -> bool:
    return report.shown is not None and any(image.keys.get(report.shown.key, ()))
