"""The headline figure of a comparison: rows of images, a column a run, and what the last run has more or less."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cnnvis_report.errors import UnknownName, printable
from cnnvis_report.evidence import words
from cnnvis_report.records.compared_images import ComparedImage, Flip, TargetSource
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Array, Kind
from cnnvis_report.report.comparison.maps import Arrays, difference_of, scaled_maps
from cnnvis_report.report.comparison.report import (
    ChosenImages,
    ComparedReport,
    image_mask_change,
    mask_change,
    moved,
    predicted,
    strongest_flip,
)
from cnnvis_report.report.figure.columns import Column
from cnnvis_report.report.figure.config import PREDICTION, FigureConfig
from cnnvis_report.report.figure.content import Corners, Figure, HeadLine, NoMaps, Row, corners_of, short_names
from cnnvis_report.report.figure.rows import chosen_by_name
from cnnvis_report.report.figure.save import save_sheet
from cnnvis_report.report.views import formatting as fmt

BROKEN, FIXED, ROWS = 3, 2, 6
TWO_METHODS_UP_TO = 2  # runs


def comparison_figure(report: ComparedReport, config: FigureConfig | None = None) -> Figure | None:
    """The figure of a comparison; None where no image has a map in all runs.

    Raises:
        UnknownName: the runs have no such image or method.
    """
    config = config or FigureConfig()
    methods = _named(report, config.methods) if config.methods else _methods(report)
    images = _named_images(report, config.images) if config.images else _chosen(report, config.rows or ROWS)
    if not methods or not images:
        return None
    wanted = {image.id for image in images}
    records = {image.id: pair for image, pair in report.records(wanted)}
    names = short_names([image.name for image in images])
    return Figure(
        run=report.runs[0].record,
        evidence=None,
        columns=tuple(column for method in methods for column in _columns(report, method, len(methods) > 1)),
        rows=tuple(
            _row(report, image, records[image.id], methods, name) for image, name in zip(images, names, strict=True)
        ),
        rule="" if config.images else _rule(report, images),
        total=len(report.comparison.images),
        target=PREDICTION,
        look=config.look,
        same=(),
        automatic=not config.methods,
    )


def comparison_caption(report: ComparedReport, figure: Figure) -> str:
    """What a reader has to know of the figure, in sentences."""
    return printable(" ".join(_sentences(report, figure)), " ")


def save_comparison_figure(report: ComparedReport, path: Path, config: FigureConfig | None = None) -> str:
    """Write the figure as PNG, SVG or PDF, as the suffix says.

    Returns:
        The caption, in words.

    Raises:
        BadRequest: no image has a map in all runs, the suffix is unknown, or the file is somebody else's.
    """
    config = config or FigureConfig()
    figure = comparison_figure(report, config)
    if figure is None:
        raise NoMaps("No image has a map of one method in all runs, and a figure is made of maps.")
    text = comparison_caption(report, figure)
    save_sheet(figure, text, path, config.style)
    return text


def _methods(report: ComparedReport) -> list[ComparedMethod]:
    """The shown method, and of two runs one of another kind beside it."""
    two = len(report.runs) <= TWO_METHODS_UP_TO
    return [method for method in (report.shown, report.second if two else None) if method is not None]


def _named(report: ComparedReport, names: Sequence[str]) -> list[ComparedMethod]:
    """The methods that were asked for, each as NAME or NAME@LAYER."""
    known = {method.key: method for method in report.methods}
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise UnknownName("method of all runs", missing, known)
    return [known[name] for name in dict.fromkeys(names)]


def _named_images(report: ComparedReport, names: Sequence[str]) -> Sequence[ComparedImage]:
    images = report.comparison.images
    numbers, names_by_id = {}, {}
    for number, image in enumerate(images):
        numbers[image.id], names_by_id[image.id] = number, image.name
    return ChosenImages(images, [numbers[id] for id in chosen_by_name(names, names_by_id)])


def _chosen(report: ComparedReport, rows: int) -> Sequence[ComparedImage]:
    """Broken and fixed images first, then those whose maps moved most."""
    shown, judge = report.shown, report.second or report.shown
    have, changes = [], {}
    most = {Flip.BROKEN: BROKEN, Flip.FIXED: FIXED}
    flipped: dict[Flip, list[int]] = {flip: [] for flip in most}
    for number, image in enumerate(report.images):
        if shown is None or judge is None or not all(image.keys.get(shown.key, ("",))):
            continue
        have.append(number)
        flip, change = strongest_flip(image), image_mask_change(image, judge)
        if len(flipped.get(flip, ())) < most.get(flip, 0):
            flipped[flip].append(number)
        if change is not None:
            changes[number] = change
    chosen = [number for flip in most for number in flipped[flip]]
    by_mask = sorted((number for number in changes if number not in chosen), key=lambda number: -changes[number])
    chosen += by_mask[: max(0, (rows - len(chosen) + 1) // 2)]
    chosen += [number for number in have if number not in chosen][: max(0, rows - len(chosen))]
    return [report.images[number] for number in chosen[:rows]]


def _columns(report: ComparedReport, method: ComparedMethod, several: bool) -> Iterator[Column]:
    prefix = f"{method.info.title}: " if several else ""
    for name in report.names:
        yield Column(method.info, "", f"{prefix}{name}")
    if len(report.runs) <= TWO_METHODS_UP_TO:
        yield Column(difference_of(method.info), "", f"{prefix}difference", ends=("less", "more"))


def _row(
    report: ComparedReport,
    image: ComparedImage,
    records: Sequence[ImageRecord],
    methods: Sequence[ComparedMethod],
    name: str,
) -> Row:
    arrays = report.arrays(records)
    maps = [values for method in methods for values in _maps(report, image, method, arrays)]
    boxes = [box for method in methods for box in _boxes(report, image, method, records, arrays)]
    head = tuple(_head(report, image, name))
    picture, mask = arrays[0]["picture"], arrays[0].get("mask")
    return Row(records[0], name, 0, "", None, picture, mask, tuple(maps), head, (None, *boxes) if any(boxes) else ())


def _maps(
    report: ComparedReport, image: ComparedImage, method: ComparedMethod, arrays: Sequence[Arrays]
) -> list[Array | None]:
    maps = scaled_maps(method, image.keys.get(method.key, ("",) * len(arrays)), arrays)
    if len(report.runs) > TWO_METHODS_UP_TO:
        return maps
    first, last = maps[0], maps[-1]
    return [*maps, None if first is None or last is None else last - first]


def _boxes(
    report: ComparedReport,
    image: ComparedImage,
    method: ComparedMethod,
    records: Sequence[ImageRecord],
    arrays: Sequence[Arrays],
) -> Iterator[Corners | None]:
    """Upon the map of each run the box that it explains there; none upon a difference, which is of two of them."""
    keys = image.keys.get(method.key, ("",) * len(arrays))
    shown = arrays[0]["picture"].shape
    for run, record, stored, key in zip(report.runs, records, arrays, keys, strict=True):
        explained = {entry.key: entry.target for entry in record.maps}.get(key)
        score = next((score for score in record.targets if score.index == explained), None)
        if score is None or "boxes" not in stored:
            yield None
            continue
        height, width = stored["picture"].shape[:2]
        down, across = shown[0] / height, shown[1] / width
        boxes = stored["boxes"] * np.array([across, down, across, down, 1, 1], dtype=np.float32)
        yield corners_of(score, boxes, run.record.network.classes, shown)
    if len(report.runs) <= TWO_METHODS_UP_TO:
        yield None


def _head(report: ComparedReport, image: ComparedImage, name: str) -> Iterator[HeadLine]:
    yield HeadLine(name, "ink", instead=image.id)
    two = len(report.runs) <= TWO_METHODS_UP_TO
    for number, (name_of_run, prediction) in enumerate(zip(report.names, image.predictions, strict=True), start=1):
        run = name_of_run if two else str(number)
        state = {True: "correct", False: "misclassified", None: ""}[prediction.correct]
        yield HeadLine(f"{run}: {predicted(prediction)}", state or "ink", state, instead=predicted(prediction))
    flip = strongest_flip(image)
    if flip in (Flip.BROKEN, Flip.FIXED, Flip.CHANGED):
        yield HeadLine(str(flip), "muted")


def _rule(report: ComparedReport, images: Sequence[ComparedImage]) -> str:
    flips = {Flip.BROKEN: "broken", Flip.FIXED: "fixed", Flip.CHANGED: "with another prediction"}
    counts = {words: sum(strongest_flip(image) is flip for image in images) for flip, words in flips.items()}
    rest = len(images) - sum(counts.values())
    masked = any(any(method.mask_energy) for method in report.methods)
    why = "whose relevance in the mask changed or whose maps moved most" if masked else "whose maps moved most"
    if not any(moved(image) for image in images):
        why = "whose maps didn't move"
    parts = [f"{count} {words}" for words, count in counts.items() if count]
    parts += [f"{rest} {why}"] if rest else []
    return words.listed(parts)


def _sentences(report: ComparedReport, figure: Figure) -> Iterator[str]:
    methods = list(dict.fromkeys(column.method.title for column in figure.columns))
    yield f"{words.listed(methods)} of {words.listed(report.names)}, on the same images{_explained(report, figure)}."
    if figure.rule:
        yield f"Rows, of {fmt.count(figure.total, 'image')}: {figure.rule}."
    if figure.automatic and len(methods) > 1 and report.second and mask_change(report.second) is not None:
        yield f"{methods[1]} is the method of another kind whose relevance in the mask changed most."
    alone = any(column.method.kind is Kind.PIXEL for column in figure.columns)
    clipped = ", pixel maps by the 99th percentile of theirs" if alone else ""
    yield f"Each map is divided by its largest absolute value{clipped}, so that networks with other logits compare."
    if len(report.runs) <= TWO_METHODS_UP_TO:
        yield (
            f"Difference: red where the map of {report.names[-1]} is larger, blue where that of {report.names[0]} is, "
            "scaled to its largest absolute value."
        )
    if any(any(row.boxes) for row in figure.rows):
        yield "Yellow: the box whose score is explained, that of the run in the column."
    if any(row.mask is not None for row in figure.rows):
        yield "Outlines: masks."
    if any(prediction.correct is not None for image in report.images for prediction in image.predictions):
        numbers = "" if len(report.runs) <= TWO_METHODS_UP_TO else ", by the number of the column"
        yield f"✓ correct, ✗ error, with the probability of the predicted class{numbers}."


def _explained(report: ComparedReport, figure: Figure) -> str:
    """Of which class the maps are."""
    shown = {row.image.id for row in figure.rows}
    images = [image for image in report.comparison.images if image.id in shown]
    differing = sum(image.target_source is TargetSource.OWN_PREDICTIONS for image in images)
    if not differing:
        return " and for the same class"
    predictions = ", each run's for the class that it predicts"
    if differing == len(images):
        return predictions
    return f" and for the same class, or where no class is explained in all runs{predictions}"
