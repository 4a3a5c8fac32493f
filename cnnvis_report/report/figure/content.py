"""What a figure shows: images with the maps of its columns, read from the run folder."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ClassScore, ImageRecord
from cnnvis_report.records.methods import Array
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.figure.columns import Column, Methods, rows_of
from cnnvis_report.report.figure.config import LABEL, FigureConfig
from cnnvis_report.report.figure.rows import Choice, candidate, choose, chosen_by_name
from cnnvis_report.report.pictures.drawing import Look, draw_map, draw_picture
from cnnvis_report.report.pictures.thumbnails import Pixels
from cnnvis_report.store.run_folder import StoredRun

Corners = tuple[float, float, float, float]
SAME = 1e-3  # of the largest value, by which two maps may differ and still be one


class NoMaps(BadRequest):
    """There is nothing to show."""


@dataclass(frozen=True)
class HeadLine:
    """A line at the head of a row.

    tone: "ink", "muted", "correct" or "misclassified". mark: the one before the text; empty for none. instead: what is
    written where the font lacks a letter.
    """

    text: str
    tone: str
    mark: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Row:
    """An image of a figure.

    name: short, and unlike those of the other rows. number: of the image in the run, from 1. reason: why it is shown.
    target: the class whose maps are shown; None where none of its maps is. maps: [h, w] by column; None where there
    isn't one. head: what stands at its left, where that isn't what one run predicts. boxes: of a detection, upon the
    input and upon each map, left, top, right and bottom of the box whose score is explained, in pixels of the picture
    and within it, None without one; empty where nothing is detected.
    """

    image: ImageRecord
    name: str
    number: int
    reason: str
    target: ClassScore | None
    picture: Pixels
    mask: npt.NDArray[Any] | None
    maps: tuple[Array | None, ...]
    head: tuple[HeadLine, ...] = ()
    boxes: tuple[Corners | None, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure without its form.

    rule: how the images were chosen; empty where somebody named them, or all are shown. total: how many there are.
    same: titles of columns with the same maps. automatic: whether the methods were chosen by the program.
    """

    run: RunRecord
    evidence: Evidence | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    rule: str
    total: int
    target: str
    look: Look
    same: tuple[tuple[str, str], ...]
    automatic: bool

    def cell(self, row: int, column: int | None) -> Callable[[tuple[int, int]], Pixels] | None:
        """What draws a cell at a size (height, width): a method's map, or the input; None where there is no map."""
        shown = self.rows[row]
        if column is None:
            return lambda size: np.floor(draw_picture(shown.picture, size) + 0.5).astype(np.uint8)
        values, method = shown.maps[column], self.columns[column].method
        if values is None:
            return None
        return lambda size: draw_map(shown.picture, values, method, size, self.look)


def make_figure(stored: StoredRun, config: FigureConfig) -> Figure:
    """Choose images and methods, and read what is shown of them.

    Raises:
        UnknownName: the run has no such image or method. BadRequest: it has no maps, or none of the class.
    """
    run = stored.record
    known, choice = _choose(stored, config)
    images = {image.id: image for image in stored.images(choice.reasons.keys())}
    methods = Methods(run, stored.evidence, rows_of(images.values(), run.network.default_layer))
    columns = methods.named(config.methods) if config.methods else methods.chosen()
    names = short_names([known[id] for id in choice.reasons])
    order = {id: number for number, id in enumerate(known, start=1)}
    rows = [
        _row(stored, images[id], columns, config.target, name, order[id], reason)
        for (id, reason), name in zip(choice.reasons.items(), names, strict=True)
    ]
    if not any(values is not None for row in rows for values in row.maps):
        raise NoMaps(
            f"{stored.folder}: has no map of the label's class of these images. Explain it with --classes label."
            if config.target == LABEL
            else f"{stored.folder}: has no map of these methods for these images."
        )
    figure = Figure(
        run, stored.evidence, tuple(columns), tuple(rows), choice.rule, choice.total, config.target, config.look,
        same=(), automatic=not config.methods,
    )  # fmt: skip
    return without_twins(figure)


def short_names(names: Sequence[str]) -> list[str]:
    """Names of files without the folder that all are in, and without the suffix where that tells none apart."""
    folders = {posixpath.dirname(name) for name in names} if len(names) > 1 else {""}
    start = len(posixpath.commonpath(list(folders))) if all(folders) else 0
    inner = [name[start:].lstrip("/") for name in names]
    stems = [posixpath.splitext(name)[0] for name in inner]
    return stems if len(set(stems)) == len(stems) and all(stems) else inner


def _choose(stored: StoredRun, config: FigureConfig) -> tuple[dict[str, str], Choice]:
    """The names of all images by their ids, and which of them are shown."""
    run = stored.record
    baselines = [method.name for method in run.methods if method.baseline]
    known, candidates = {}, []
    for image in stored.images():
        known[image.id] = image.name
        if image.maps:
            candidates.append(candidate(image, baselines))
    if not candidates:
        raise NoMaps(f"{stored.folder}: has no maps, and a figure is made of maps.")
    if config.images:
        ids = chosen_by_name(config.images, known)
        return known, Choice(dict.fromkeys(ids, ""), "", len(known))
    return known, choose(candidates, run.network.kind, config.rows)


def _row(
    stored: StoredRun, image: ImageRecord, columns: Sequence[Column], target: str, name: str, number: int, reason: str
) -> Row:
    """Read an image, and of its maps those that are shown."""
    arrays, explained = stored.maps(image), _target(image, target)
    maps: list[Array | None] = []
    for column in columns:
        records = [
            record
            for record in image.maps
            if explained and record.target == explained.index
            if (record.method, record.layer) == (column.method.name, column.layer)
        ]
        values = arrays[records[0].key].astype(np.float32, copy=False) if records else None
        maps.append(None if values is None else column.method.shown(values))
    boxes, classes = arrays.get("boxes"), stored.record.network.classes
    picture = arrays["picture"]
    box = corners_of(explained, boxes, classes, picture.shape) if explained and boxes is not None else None
    everywhere = (box,) * (len(columns) + 1) if box else ()
    return Row(image, name, number, reason, explained, picture, arrays.get("mask"), tuple(maps), boxes=everywhere)


def corners_of(target: ClassScore, boxes: Array, classes: int, picture: Sequence[int]) -> Corners | None:
    """The part of a target's box that lies within the picture; None where there isn't any.

    Args:
        boxes: [M, 6] of corners, class and score, best first. picture: its shape, [H, W] or [H, W, 3].
    """
    rank, index = divmod(target.index, classes)
    of_class = boxes[boxes[:, 4] == index]
    if rank >= len(of_class):
        return None
    height, width = picture[:2]
    left, right = (min(max(float(side), 0.0), width) for side in of_class[rank, [0, 2]])
    top, bottom = (min(max(float(side), 0.0), height) for side in of_class[rank, [1, 3]])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _target(image: ImageRecord, target: str) -> ClassScore | None:
    """The class whose maps are shown: that of the prediction, or the first that was explained; or the label's."""
    wanted = image.known if target == LABEL else tuple(score.index for score in image.top[:1])
    named = [score for score in image.targets if score.index in wanted]
    return next(iter(named if target == LABEL else [*named, *image.targets]), None)


def without_twins(figure: Figure) -> Figure:
    """The figure with every map once; with methods that somebody named, only a note of those that are the same."""
    distinct: list[int] = []
    same = []
    for column in range(len(figure.columns)):
        twin = next((other for other in distinct if _are_same(figure, other, column)), None)
        if twin is not None:
            same.append((figure.columns[column].title, figure.columns[twin].title))
        if twin is None or not figure.automatic:
            distinct.append(column)
    rows = tuple(_with_columns(row, distinct) for row in figure.rows)
    columns = tuple(figure.columns[column] for column in distinct)
    return replace(figure, columns=columns, rows=rows, same=() if figure.automatic else tuple(same))


def _with_columns(row: Row, columns: Sequence[int]) -> Row:
    boxes = tuple(row.boxes[cell] for cell in (0, *(column + 1 for column in columns))) if row.boxes else ()
    return replace(row, maps=tuple(row.maps[column] for column in columns), boxes=boxes)


def _are_same(figure: Figure, one: int, other: int) -> bool:
    """Whether two columns show the same maps, up to a positive factor."""
    pairs = [(row.maps[one], row.maps[other]) for row in figure.rows]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    return len(both) == len(pairs) and all(a.shape == b.shape and _distance(a, b) <= SAME for a, b in both)


def _distance(one: Array, other: Array) -> float:
    scaled = [values / (float(np.abs(values).max()) or 1.0) for values in (one, other)]
    return float(np.abs(scaled[0] - scaled[1]).max())
