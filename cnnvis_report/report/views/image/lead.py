"""The head of an image page: its scores, the first row of maps, and the classes beside each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.families import by_family
from cnnvis_report.records.evidence import Standing
from cnnvis_report.records.images import ClassScore, ImageRecord, MapRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import ImageMetrics
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.map_metrics import measured_of
from cnnvis_report.report.views.report import Report

DOUBTFUL = (
    Standing.POSSIBLY_BETTER,
    Standing.CHANCE,
    Standing.POSSIBLY_WORSE,
    Standing.WORSE,
    Standing.FAILED,
)
COLUMNS = 4  # methods beside each other, for every class
MASS, POINTING = "relevance_mass_accuracy", "pointing_game"


@dataclass(frozen=True)
class ScoreBar:
    """A class with its score.

    share: of the whole bar, as `ClassScore.share`; None where scores are values. value: in words.
    label: whether the image bears it. explained: whether there are maps of it.
    """

    score: ClassScore
    share: float | None
    value: str
    label: bool
    explained: bool


@dataclass(frozen=True)
class Lead:
    """The first row: the best method's maps of two classes, and their difference.

    layer: which of the method's; empty where it has one. first: the class that is explained first.
    other: the one that it is compared with, which is the label where that isn't predicted; None where one is explained.
    sentences: what was measured of these maps.
    """

    method: MethodInfo
    layer: str
    title: str
    first: ClassScore
    other: ClassScore | None
    sentences: tuple[str, ...]


def score_bars(image: ImageRecord) -> list[ScoreBar]:
    """The highest scores, and those of all classes that are explained."""
    explained = {target.index for target in image.targets}
    listed = {score.index: score for score in (*image.top, *image.targets)}
    return [
        ScoreBar(score, score.share, fmt.score_value(score), score.index in image.known, score.index in explained)
        for score in listed.values()
    ]


def lead(report: Report, image: ImageRecord) -> Lead | None:
    """The first row of an image; None without maps."""
    if not image.targets:
        return None
    have = {(record.method, record.layer) for record in image.maps if record.target == image.targets[0].index}
    names = {method for method, _ in have}
    for best in report.best:
        if (best.name, best.layer) in have or (not best.layer and best.name in names):
            first, other = _classes(image)
            method = report.run.method(best.name)
            return Lead(
                method=method,
                layer=best.layer,
                title=best.title,
                first=first,
                other=other,
                sentences=tuple(_sentences(report, image, best.name, best.layer)),
            )
    return None


def columns(report: Report, image: ImageRecord) -> list[MethodInfo]:
    """The methods whose maps of all classes stand beside each other: the best of each family, then more of the best."""
    have = {record.method for record in image.maps}
    ranked = [best.name for best in report.best]
    possible = [
        method
        for method in by_family(report.run.methods)
        if method.name in have - _doubtful(report) and not (method.baseline or method.class_agnostic)
    ]
    rank = {name: number for number, name in enumerate(ranked)}
    possible.sort(key=lambda method: (rank.get(method.name, len(ranked)), -method.prominence))
    families = {method.family: method for method in reversed(possible)}
    first = [method for method in possible if method is families[method.family]]
    more = [method for method in possible if method not in first and method.name in rank]
    chosen = [*first, *more][:COLUMNS]
    return sorted(chosen, key=possible.index)


def _doubtful(report: Report) -> set[str]:
    """Methods that aren't better than a random map, that failed a check, or whose maps are another's."""
    return {row.method for row in report.verdicts if row.standing in DOUBTFUL or row.same_as}


def _classes(image: ImageRecord) -> tuple[ClassScore, ClassScore | None]:
    first, *others = image.targets
    label = next((target for target in others if target.index in image.known), None)
    return first, label or next(iter(others), None)


def _sentences(report: Report, image: ImageRecord, method: str, layer: str) -> Iterator[str]:
    """What was measured of the best method's map, as far as this image tells it."""
    names = {target.index: target.name for target in image.targets}
    evidence = report.evidence
    groups: Sequence[tuple[ImageMetrics | None, tuple[str, ...]]] = (
        (image.metrics, (evidence.faithfulness,) if evidence else ()),
        (image.localization, (MASS, POINTING)),
    )
    measured: dict[int, list[str]] = {}
    for metrics, wanted in groups:
        record = _measured(image, metrics, method, layer)
        parts = [part for name in wanted if record and (part := _part(report, metrics, record, name))]
        if record and parts:
            measured.setdefault(record.target, []).extend(parts)
    for target, parts in measured.items():
        yield f"{report.run.method(method).title} for {names[target]}: {', '.join(parts)}."


def _measured(image: ImageRecord, metrics: ImageMetrics | None, method: str, layer: str) -> MapRecord | None:
    """The map that the metrics are of."""
    targets = {scored.target for scored in (metrics.maps if metrics else ())}
    records = (record for record in image.maps if record.method == method and layer in ("", record.layer))
    return next((record for record in records if record.target in targets), None)


def _part(report: Report, metrics: ImageMetrics | None, record: MapRecord, name: str) -> str:
    measured = measured_of(metrics, record, name)
    if measured is None:
        return ""
    if name == POINTING:
        return "its peak lies on the object" if measured[0] >= 0.5 else "its peak lies beside the object"
    metric = words.metric(report.run, name)
    shown, mean = words.column(measured, percent=metric.percent)
    return f"{words.within_sentence(metric.title)} {shown}{f' (random maps: {mean})' if mean else ''}"
