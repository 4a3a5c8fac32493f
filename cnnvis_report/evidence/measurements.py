"""What the images of a run say of each method, and how equal maps are, gathered image by image as plain numbers."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.metrics import ImageMetrics, MetricInfo

Exact = npt.NDArray[np.float64]
Row = tuple[str, str]  # method, layer

NO_MASK = "no mask of the explained class"
UNDEFINED = "not one map has a value"
STATED = ("residual", "conservation")  # notes of maps that tell what their values sum to
Counts = npt.NDArray[np.int64]

EQUAL = 0.999  # rank correlation from which two maps of an image are the same


def _none() -> Counts:
    return np.zeros((0, 0), np.int64)


@dataclass
class Agreement:
    """Rank correlations of the maps of each pair of rows, counted image by image: arrays [rows, rows].

    images: on how many both maps vary. equal: on how many of these they agree by EQUAL or more. lowest: their lowest
    rank correlation. apart: on how many images one of them varies and the other has a single value.
    """

    images: Counts = field(default_factory=_none)
    equal: Counts = field(default_factory=_none)
    lowest: Exact = field(default_factory=lambda: np.zeros((0, 0)))
    apart: Counts = field(default_factory=_none)

    def grow(self, rows: int) -> None:
        """Make room for so many rows."""
        more = (0, max(0, rows - len(self.images)))
        self.images, self.equal, self.apart = (
            np.pad(counts, (more, more)) for counts in (self.images, self.equal, self.apart)
        )
        self.lowest = np.pad(self.lowest, (more, more), constant_values=np.inf)

    def add(self, indices: Sequence[int], matrix: Sequence[Sequence[float | None]]) -> None:
        """Count in the rank correlations of one image, None where a map has a single value.

        Args:
            indices: the rows that its maps belong to.
        """
        self.grow(max(indices) + 1)
        values = np.array([[np.nan if value is None else value for value in row] for row in matrix], np.float64)
        grid, known = np.ix_(indices, indices), ~np.isnan(values)
        varies = known.diagonal()
        self.images[grid] += known
        self.equal[grid] += known & (values >= EQUAL)
        self.apart[grid] += varies[:, None] != varies[None, :]
        self.lowest[grid] = np.minimum(self.lowest[grid], np.where(known, values, np.inf))


@dataclass
class Measurements:
    """Numbers by image and by method; nan where there is none. Images stand in an order of their own.

    rows: methods with their layers, in the order in which they are met.
    values: [images, rows] of each metric, of images that were measured or have a mask; of those that tell nothing, nan.
    random: [images] of each metric, the mean over the random maps.
    left_out: of each metric, images that tell nothing, by the reason.
    constant: [images, rows], 1 where a map has a single value.
    stated: [images, rows] of each of STATED, of all images.
    passes: forward and backward passes that a map takes, by row.
    agreement: how equal the maps of two rows are.
    random_maps: with how many an image was compared at most.
    missing: of methods without a map on some image, the first reason.
    """

    images: int
    rows: tuple[Row, ...]
    values: dict[str, Exact]
    random: dict[str, Exact]
    left_out: dict[str, dict[str, int]]
    constant: Exact
    stated: dict[str, Exact]
    passes: dict[Row, tuple[float, float]]
    agreement: Agreement
    random_maps: int
    missing: dict[str, str]


def measurements(
    images: Iterable[ImageRecord], baselines: Sequence[str], metrics: Sequence[MetricInfo]
) -> Measurements:
    """What the images say, read one by one; memory grows with images × methods × metrics.

    Args:
        baselines: methods whose own maps are the random ones, on images that have no others.
        metrics: those that were measured.
    """
    masked = [info.name for info in metrics if info.needs_mask]
    gatherer = _Gatherer(baselines, [info.name for info in metrics], masked)
    for image in images:
        gatherer.add(image)
    return gatherer.result()


@dataclass
class _Gatherer:
    """Rows of numbers, image by image; a method that is met late has none for earlier images."""

    baselines: Sequence[str]
    metrics: Sequence[str]
    masked: Collection[str]
    rows: dict[Row, int] = field(default_factory=dict)
    measured: int = 0
    names: list[str] = field(default_factory=list)  # of images that scored, by which they are put in order
    all_names: list[str] = field(default_factory=list)
    values: dict[str, list[Exact]] = field(default_factory=lambda: defaultdict(list))
    random: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    left_out: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    constant: list[Exact] = field(default_factory=list)
    stated: dict[str, list[Exact]] = field(default_factory=lambda: defaultdict(list))
    passes: dict[Row, tuple[float, float]] = field(default_factory=dict)
    agreement: Agreement = field(default_factory=Agreement)
    random_maps: int = 0
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        for gap in image.not_applicable:
            self.missing.setdefault(gap.method, gap.reason)
        if not image.maps:
            return
        self.all_names.append(image.content or image.id)
        stated: dict[str, dict[int, list[float]]] = {name: defaultdict(list) for name in STATED}
        for record in image.maps:
            index = self._index(record.method, record.layer)
            self.passes.setdefault((record.method, record.layer), (record.evidence.forward, record.evidence.backward))
            for name in STATED:
                value = record.evidence.notes.get(name)
                if isinstance(value, float):
                    stated[name][index].append(value)
        for name, of_rows in stated.items():
            self.stated[name].append(self._vector({index: fmean(values) for index, values in of_rows.items()}))
        measured = image.metrics if image.metrics is not None and image.metrics.maps else None
        if measured is not None or image.localization is not None or image.mask_fraction is not None:
            self.names.append(self.all_names[-1])
            self.measured += measured is not None
            for name in self.metrics:
                self._add_metric(name, (image.localization if name in self.masked else None) or measured)
            self._add_agreement(measured)

    def _add_metric(self, name: str, metrics: ImageMetrics | None) -> None:
        """Count in what the maps of one image scored on one metric; None where it wasn't measured there."""
        values = {}
        if metrics is None:
            self.left_out[name].update([NO_MASK] if name in self.masked else [])
        else:
            values = {
                self._index(scored.method, scored.layer): scored.values[name]
                for scored in metrics.maps
                if name in scored.values
            }
            missing = NO_MASK if name in self.masked else UNDEFINED
            reason = metrics.blind.get(name, "" if values else missing)
            if reason:
                self.left_out[name][reason] += 1
                values = {}
        self.values[name].append(self._vector(values))
        self.random[name].append(self._random(metrics, name) if metrics is not None else np.nan)

    def _add_agreement(self, metrics: ImageMetrics | None) -> None:
        """Count in how equal the maps of one image are, and which have a single value."""
        if metrics is None:
            self.constant.append(self._vector({}))
            return
        indices = [self._index(scored.method, scored.layer) for scored in metrics.maps]
        diagonal = {index: float(metrics.agreement[at][at] is None) for at, index in enumerate(indices)}
        self.constant.append(self._vector(diagonal))
        self.agreement.add(indices, metrics.agreement)

    def _random(self, metrics: ImageMetrics, name: str) -> float:
        """The mean over the random maps of an image."""
        values = metrics.random.get(name) or [
            scored.values[name] for scored in metrics.maps if scored.method in self.baselines and name in scored.values
        ]
        self.random_maps = max(self.random_maps, len(values))
        return fmean(values) if values else np.nan

    def _index(self, method: str, layer: str) -> int:
        return self.rows.setdefault((method, layer), len(self.rows))

    def _vector(self, values: dict[int, float]) -> Exact:
        vector = np.full(len(self.rows), np.nan)
        for index, value in values.items():
            vector[index] = value
        return vector

    def result(self) -> Measurements:
        """All of it, images in the order of their contents."""
        order, whole = np.argsort(self.names, kind="stable"), np.argsort(self.all_names, kind="stable")
        self.agreement.grow(len(self.rows))
        known = [name for name in self.metrics if name not in self.masked or self._has_values(name)]
        return Measurements(
            images=self.measured,
            rows=tuple(self.rows),
            values={name: self._array(self.values[name])[order] for name in known},
            random={name: np.array(self.random[name])[order] for name in known},
            left_out={name: dict(sorted(self.left_out[name].items())) for name in known},
            constant=self._array(self.constant)[order],
            stated={name: self._array(self.stated[name])[whole] for name in STATED},
            passes=self.passes,
            agreement=self.agreement,
            random_maps=self.random_maps,
            missing=self.missing,
        )

    def _has_values(self, name: str) -> bool:
        return any(not np.isnan(row).all() for row in self.values[name])

    def _array(self, vectors: Sequence[Exact]) -> Exact:
        """[images, rows], shorter vectors filled up."""
        array = np.full((len(vectors), len(self.rows)), np.nan)
        for index, vector in enumerate(vectors):
            array[index, : len(vector)] = vector
        return array
