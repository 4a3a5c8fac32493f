"""The gallery of a comparison: images by what became of them, with the maps of all runs side by side."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from cnnvis_report.records.compared_images import ComparedImage, Flip
from cnnvis_report.report.comparison.report import ComparedReport, moved, predicted, strongest_flip
from cnnvis_report.report.comparison.stills import MAPS
from cnnvis_report.report.site.gallery_data import ranks

PAGE = 60  # images that are shown at a time, as in the gallery of a run
WORDS = {
    Flip.BROKEN: "broken",
    Flip.FIXED: "fixed",
    Flip.CHANGED: "other class",
    Flip.WRONG: "misclassified in both",
    Flip.RIGHT: "correct in both",
    Flip.SAME: "same class",
}
# where there are several later runs: what became of an image in one of them isn't a count of any single one
IN_SEVERAL = {
    Flip.BROKEN: "broken in a later run",
    Flip.FIXED: "fixed in a later run",
    Flip.CHANGED: "other class in a later run",
    Flip.WRONG: "misclassified in all",
    Flip.RIGHT: "correct in all",
    Flip.SAME: "same class in all",
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
    items, labeled, moving = [], False, False
    for image in report.images:
        items.append(_item(report, image))
        labeled, moving = labeled or bool(image.label), moving or moved(image) is not None
    counts = Counter(item.state for item in items)
    verdicts = [
        (str(flip), words.capitalize(), counts[str(flip)])
        for flip in WORDS
        if counts[str(flip)] and (words := _words(report, flip))
    ]
    return ComparedGallery(
        items=items[:PAGE],
        more=items[PAGE:],
        verdicts=[("", "All", len(items)), *verdicts],
        labeled=labeled,
        moving=moving,
        shown=report.shown.info.title if report.shown else "",
        runs=report.names,
        left_out=report.left_out,
    )


def compared_gallery_data(report: ComparedReport) -> dict[str, Any]:
    """The same of all images as columns, in the form of a run's gallery."""
    columns: dict[str, list[Any]] = defaultdict(list)
    for number, image in enumerate(report.images):
        columns["names"].append(image.name)
        columns["labels"].append([image.label] if image.label else [])
        columns["predicted"].append(list(dict.fromkeys(p.name for p in image.predictions if p.name)))
        columns["scores"].append(image.predictions[-1].probability or 0.0)
        columns["captions"].append(" → ".join(map(predicted, image.predictions)))
        columns["verdict"].append(list(WORDS).index(strongest_flip(image)))
        columns["moved"].append(moved(image))
        if not _has_maps(report, image):
            columns[MAPS].append(number)
    classes = sorted({name for column in ("labels", "predicted") for names in columns[column] for name in names})
    number_of = {name: index for index, name in enumerate(classes)}
    return {
        "ids": report.ids,
        "byName": ranks(columns["names"]),
        "classes": classes,
        "verdicts": [(str(flip), _words(report, flip)) for flip in WORDS],
        "measures": {"moved": columns["moved"]},
        "without": {MAPS: columns[MAPS]},
        "methods": {MAPS: report.shown.info.title} if report.shown else {},
        "figure": [],
        **{key: columns[key] for key in ("names", "scores", "captions", "verdict")},
        **{key: [[number_of[name] for name in names] for names in columns[key]] for key in ("labels", "predicted")},
    }


def _item(report: ComparedReport, image: ComparedImage) -> ComparedItem:
    flip = strongest_flip(image)
    lines = [" → ".join(map(predicted, image.predictions))]
    return ComparedItem(image.id, image.name, str(flip), _words(report, flip), lines, _has_maps(report, image))


def _words(report: ComparedReport, flip: Flip) -> str:
    if not report.runs[0].record.network.kind.has_classes:
        return ""  # values are neither right nor another class
    return (WORDS if len(report.runs) == 2 else IN_SEVERAL)[flip]


def _has_maps(report: ComparedReport, image: ComparedImage) -> bool:
    return report.shown is not None and any(image.keys.get(report.shown.key, ()))
