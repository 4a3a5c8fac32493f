"""What the maps of one image scored, beside random maps of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean

from cnnvis_report.evidence import words
from cnnvis_report.evidence.comparison import kind_of
from cnnvis_report.evidence.families import by_family
from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics, MetricInfo, MetricKind
from cnnvis_report.report.views.methods.measure_tables import Column, column
from cnnvis_report.report.views.report import Report

WIDE, HIGH = 100, 32  # of a curve's picture
INSERTION, DELETION = "insertion", "deletion"


@dataclass(frozen=True)
class Curve:
    """A curve as the points of an SVG polyline in a box of WIDE × HIGH."""

    name: str
    points: str


@dataclass(frozen=True)
class MapRow:
    """What the maps of one method scored: a cell for each column, empty where they scored nothing."""

    method: MethodInfo
    layer: str
    cells: tuple[str, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class ImageTable:
    """The maps of one image by what they scored, in the order of their tiles.

    target, localized: names of the classes whose maps were measured, and measured for localization; empty where none
    was. groups: what the columns are about, and how many of them are about it.
    curves: what they are of; empty without any.
    random: of random maps of this image, the mean and the ends of its range; empty where there is none.
    baseline: curves of a random map. blind: measures that this image can't tell anything on, with the reason.
    images: how many were measured in all; 0 where no method was judged.
    """

    target: str
    localized: str
    groups: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]
    curves: str
    rows: tuple[MapRow, ...]
    random: tuple[tuple[str, str], ...]
    baseline: tuple[Curve, ...]
    blind: tuple[tuple[str, str], ...]
    images: int


def image_table(report: Report, image: ImageRecord) -> ImageTable | None:
    """Gather what the maps of an image scored; None where it wasn't measured."""
    evaluation, evidence = report.run.evaluation, report.evidence
    parts = [part for part in (image.metrics, image.localization) if part is not None and part.maps]
    if evaluation is None or not parts:
        return None
    metrics = _together(parts)
    measured = {name for scored in metrics.maps for name in scored.values} | set(metrics.blind)
    infos = sorted(
        (metric for metric in evaluation.metrics if metric.name in measured),
        key=lambda metric: list(MetricKind).index(kind_of(metric)),
    )
    shown = [metric for metric in infos if metric.name not in metrics.blind]
    drawn = curve_names(evidence.faithfulness if evidence else "", metrics.maps)
    cells, random = _columns(shown, metrics)
    rows = _rows(report, metrics.maps, cells, drawn)
    return ImageTable(
        target=_class_of(image, image.metrics),
        localized=_class_of(image, image.localization),
        groups=tuple((str(kind).capitalize(), len(list(group))) for kind, group in groupby(map(kind_of, shown))),
        columns=tuple(column(report.run, metric) for metric in shown),
        curves=_curve_title([words.in_terms_of(report.run, metric) for metric in infos], drawn),
        rows=rows,
        random=random,
        baseline=next((row.curves for row in rows if row.method.baseline), ()),
        blind=tuple((metric.title, metrics.blind[metric.name]) for metric in infos if metric.name in metrics.blind),
        images=evidence.images if evidence else 0,
    )


def measured_of(metrics: ImageMetrics | None, record: MapRecord, name: str) -> tuple[float, float | None] | None:
    """What a map scored on a measure, and random maps of its image in the mean; None where it tells nothing."""
    if metrics is None or name in metrics.blind:
        return None
    scores = (scored for scored in metrics.maps if (scored.method, scored.layer) == (record.method, record.layer))
    value = next(
        (scored.values[name] for scored in scores if scored.target == record.target and name in scored.values), None
    )
    random = metrics.random.get(name)
    return None if value is None else (value, fmean(random) if random else None)


def _together(parts: Sequence[ImageMetrics]) -> ImageMetrics:
    """What was measured for the first class, and for the label's, as one: values by method and layer."""
    maps: dict[tuple[str, str], MapMetrics] = {}
    for scored in (scored for part in parts for scored in part.maps):
        known = maps.get((scored.method, scored.layer))
        more = replace(known, values=known.values | scored.values) if known else scored
        maps[scored.method, scored.layer] = more
    random = {name: values for part in parts for name, values in part.random.items()}
    blind = {name: reason for part in parts for name, reason in part.blind.items()}
    return ImageMetrics(tuple(maps.values()), (), random, {}, blind)


def _class_of(image: ImageRecord, metrics: ImageMetrics | None) -> str:
    """The name of the class whose maps were measured; empty where none were."""
    targets = {score.index: score.name for score in image.targets}
    return targets.get(metrics.maps[0].target, "") if metrics is not None and metrics.maps else ""


def curve_names(ranking: str, maps: Sequence[MapMetrics]) -> dict[str, str]:
    """The insertion and the deletion curve to draw: as the measure that ranks has them, else the first ones.

    Returns:
        The metrics' names, with how each is drawn.
    """
    known = list(dict.fromkeys(name for scored in maps for name in scored.curves))
    endings = [name.removeprefix(INSERTION) for name in known if name.startswith(INSERTION)]
    ending = next((ending for ending in endings if ranking.endswith(ending)), endings[0] if endings else "")
    return {kind + ending: kind for kind in (INSERTION, DELETION) if kind + ending in known}


def _columns(
    shown: Sequence[MetricInfo], metrics: ImageMetrics
) -> tuple[dict[tuple[str, str], tuple[str, ...]], tuple[tuple[str, str], ...]]:
    """The cells of maps by method and layer, and those of random maps: of a column all with the same decimals."""
    columns, random = [], []
    for metric in shown:
        values, drawn = [scored.values.get(metric.name) for scored in metrics.maps], metrics.random.get(metric.name, ())
        baseline = [fmean(drawn), min(drawn), max(drawn)] if drawn else [None] * 3
        *cells, mean, low, high = words.column([*values, *baseline], percent=metric.percent)
        columns.append(cells)
        random.append((mean, f"{low} to {high}" if len(drawn) > 1 else ""))
    names = [(scored.method, scored.layer) for scored in metrics.maps]
    return {name: tuple(column[row] for column in columns) for row, name in enumerate(names)}, tuple(random)


def _rows(
    report: Report, scores: Sequence[MapMetrics], cells: dict[tuple[str, str], tuple[str, ...]], drawn: dict[str, str]
) -> tuple[MapRow, ...]:
    order = [method.name for method in by_family(report.run.methods)]
    maps = sorted(scores, key=lambda scored: order.index(scored.method))
    low, high = _ends(scored.curves[name] for scored in maps for name in drawn if name in scored.curves)
    several = {scored.method for scored in maps if sum(other.method == scored.method for other in maps) > 1}
    return tuple(
        MapRow(
            report.run.method(scored.method),
            scored.layer if scored.method in several else "",
            cells[scored.method, scored.layer],
            tuple(
                Curve(kind, _points(scored.curves[name], low, high))
                for name, kind in drawn.items()
                if name in scored.curves
            ),
        )
        for scored in maps
    )


def _curve_title(infos: Sequence[MetricInfo], drawn: dict[str, str]) -> str:
    """Such as "Insertion (blur) and deletion (blur)"."""
    titles = [metric.title for metric in infos if metric.name in drawn]
    return words.listed([title if index == 0 else title[:1].lower() + title[1:] for index, title in enumerate(titles)])


def _ends(curves: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The lowest and the highest value of all curves of a table, 0 among them."""
    values = [0.0, *(value for curve in curves for value in curve)]
    return min(values), max(values)


def _points(values: Sequence[float], low: float, high: float) -> str:
    last, height = max(len(values) - 1, 1), (high - low) or 1.0
    return " ".join(
        f"{step * WIDE / last:.1f},{HIGH * (1 - (value - low) / height):.1f}" for step, value in enumerate(values)
    )
