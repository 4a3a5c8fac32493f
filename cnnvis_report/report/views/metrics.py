"""What maps scored, method by method: tables with curves, and sentences about checks that failed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, pstdev

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import Evaluation, MapMetrics, MetricInfo
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.summary import MethodSummary, Summary

WIDE, HIGH = 100, 32  # of a curve's picture
UNCHANGED = 0.5  # rank correlation of magnitudes with the maps of a network whose weights are random
LOST = 0.25  # of the score
BEST = 3


@dataclass(frozen=True)
class Curve:
    """A curve as the points of an SVG polyline in a box of WIDE × HIGH."""

    name: str
    points: str


@dataclass(frozen=True)
class MetricsRow:
    """What a method's maps scored, over a set or on one image.

    cells: a mean and, over a set, a standard deviation for each metric, in words; "" where there is none.
    curves: of insertion and deletion. score: on the measure that ranks; None without it.
    best: whether it is among the highest. randomization: the result of the randomization test, in words.
    """

    method: MethodInfo
    cells: tuple[tuple[str, str], ...]
    curves: tuple[Curve, ...]
    score: float | None
    best: bool = False
    randomization: str = ""


@dataclass(frozen=True)
class MetricsTable:
    """Methods by what their maps scored, best first.

    columns: title and meaning of each metric. baseline: curves of the random map. cautions: checks that failed.
    randomized: whether there is a column for the randomization test.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[MetricsRow, ...]
    baseline: tuple[Curve, ...]
    cautions: tuple[str, ...] = ()
    randomized: bool = False

    @property
    def best(self) -> list[str]:
        """The titles of the methods that score highest."""
        return [row.method.title for row in self.rows if row.best]


def set_metrics(run: RunRecord, summary: Summary) -> MetricsTable | None:
    """What the methods' maps scored over the set, best first; None where nothing but localization was measured."""
    measured = {each.name: summary.methods[each.name] for each in run.methods if summary.methods[each.name].values}
    if not measured or run.evaluation is None or not run.evaluation.images:
        return None
    metrics = [each for each in run.evaluation.metrics if any(each.name in found.values for found in measured.values())]
    last = {each.method: each.absolute[-1] for each in run.evaluation.randomization}
    ranking = _ranking(metrics)
    means = {name: _mean_curves(found, ranking) for name, found in measured.items()}
    ends = _ends(curve for curves in means.values() for curve in curves.values())
    rows = []
    for method in run.methods:
        if method.name in measured:
            values = measured[method.name].values
            cells = tuple(_mean_and_spread(metric, values.get(metric.name, [])) for metric in metrics)
            curves = tuple(Curve(curve, _points(points, ends)) for curve, points in means[method.name].items())
            randomization = fmt.fixed(last[method.name], 2) if method.name in last else ""
            rows.append(MetricsRow(method, cells, curves, _score(values, ranking), randomization=randomization))
    return _table(run, metrics, rows, tuple(cautions(run, measured)), randomized=bool(last))


def image_metrics(run: RunRecord, image: ImageRecord) -> MetricsTable | None:
    """What the maps of one image scored; None where it wasn't measured."""
    maps = _scored(image)
    if not maps or run.evaluation is None:
        return None
    metrics = [each for each in run.evaluation.metrics if any(each.name in found.values for found in maps)]
    ranking = _ranking(metrics)
    shown = _curve_names(ranking)
    ends = _ends(each.curves[name] for each in maps for name in shown if name in each.curves)
    rows = []
    for each in maps:
        cells = tuple((_value(metric, each.values.get(metric.name)), "") for metric in metrics)
        curves = tuple(
            Curve(style, _points(each.curves[name], ends)) for name, style in shown.items() if name in each.curves
        )
        score = each.values.get(ranking)
        rows.append(MetricsRow(run.method(each.method), cells, curves, score))
    return _table(run, metrics, rows)


def _scored(image: ImageRecord) -> list[MapMetrics]:
    """What each map of an image scored: of the first class, and with localization, of the label's class."""
    located = {(each.method, each.layer): each for each in image.localization.maps} if image.localization else {}
    if image.metrics is None:
        return list(located.values())
    return [
        replace(each, values=each.values | located[each.method, each.layer].values)
        if (each.method, each.layer) in located
        else each
        for each in image.metrics.maps
    ]


def _table(
    run: RunRecord,
    metrics: Sequence[MetricInfo],
    rows: list[MetricsRow],
    said: tuple[str, ...] = (),
    *,
    randomized: bool = False,
) -> MetricsTable:
    rows.sort(key=lambda row: (row.score is None, -(row.score or 0.0), row.method.name))
    baseline = next((row for row in rows if row.method.baseline), None)
    floor = baseline.score if baseline else None
    marked = [
        replace(row, best=rank < BEST and row.score is not None and (floor is None or row.score > floor))
        for rank, row in enumerate(rows)
    ]
    columns = tuple(_column(metric, run.network) for metric in metrics)
    return MetricsTable(columns, tuple(marked), baseline.curves if baseline else (), said, randomized)


def _column(metric: MetricInfo, network: NetworkRecord) -> tuple[str, str]:
    """A column's title and what it means, in the words of what the network gives."""
    title, meaning = f"{metric.title} {'↑' if metric.higher_is_better else '↓'}", metric.description
    if network.kind is ScoreKind.VALUE:
        title = title.replace(", log-odds", "")
        meaning = meaning.replace("the class's log-odds", "the output").replace("the class", "the output")
    return title, meaning.replace("the logit", f"the {network.quantity}")


def cautions(run: RunRecord, measured: Mapping[str, MethodSummary]) -> list[str]:
    """A plain sentence for each check that a method failed on this network."""
    baseline = next((each.name for each in run.methods if each.baseline and each.name in measured), None)
    ranking = _ranking(run.evaluation.metrics) if run.evaluation else ""
    floor = _score(measured[baseline].values, ranking) if baseline else None
    last = {each.method: each.absolute[-1] for each in run.evaluation.randomization} if run.evaluation else {}
    said = []
    for method in run.methods:
        if method.name not in measured or method.baseline:
            continue
        if last.get(method.name, 0.0) >= UNCHANGED:
            said.append(
                f"{method.title} barely changes when the weights are randomized (rank correlation "
                f"{fmt.number(last[method.name], 2)} of its magnitudes): read it as an edge detector at best."
            )
        score = _score(measured[method.name].values, ranking)
        if floor is not None and score is not None and score <= floor:
            said.append(
                f"{method.title} orders pixels no better than a random map here ({_title(run, ranking)}: "
                f"{fmt.number(score, 2)}, random map: {fmt.number(floor, 2)})."
            )
        conserved = measured[method.name].conserved
        if conserved and abs(1 - median(conserved)) > LOST:
            said.append(
                f"The relevance of {method.title} sums to {fmt.number(median(conserved), 2)} × the "
                f"{run.network.quantity} (median); biases absorb or add the rest."
            )
    return said


def how_measured(evaluation: Evaluation, kind: ScoreKind = ScoreKind.SOFTMAX) -> str:
    """How the metrics were measured, in a sentence or three."""
    said = (
        f"Measured on {fmt.count(evaluation.images, 'image')}, for the first {fmt.column(kind)} of each, in "
        f"{evaluation.steps} steps and more where a curve needs them. ± is one standard deviation over the "
        f"images. Seed {evaluation.seed}."
    )
    if evaluation.regions:
        said += (
            f" AOPC: the first {evaluation.regions} regions are replaced one after the other; "
            f"{evaluation.side} of them fit across the shorter side."
        )
    if evaluation.randomization:
        said += (
            f" Randomization test (ρ): rank correlation of magnitudes with the maps of a copy whose weights are "
            f"randomized from the logits down, in {fmt.count(len(evaluation.randomized_fractions), 'stage')}, on "
            f"{fmt.count(evaluation.randomization_images, 'image')}; maps that depend on what was learned go to 0."
        )
    return said


def _ranking(metrics: Sequence[MetricInfo]) -> str:
    """The name of the measure that ranks, of those that were measured; empty where none does."""
    return next((metric.name for metric in metrics if metric.ranks), "")


def _title(run: RunRecord, name: str) -> str:
    metrics = run.evaluation.metrics if run.evaluation else ()
    return next((metric.title for metric in metrics if metric.name == name), name).lower()


def _curve_names(ranking: str) -> dict[str, str]:
    """The curves that the ranking measure is made of, and how they are drawn."""
    kind = next((kind for kind in ("relevance_gain", "insertion", "deletion") if ranking.startswith(kind)), "")
    return {style + ranking.removeprefix(kind): style for style in ("insertion", "deletion")} if kind else {}


def _score(values: Mapping[str, Sequence[float]], ranking: str) -> float | None:
    """The mean over images, of the measure that ranks."""
    return fmean(values[ranking]) if values.get(ranking) else None


def _value(metric: MetricInfo, value: float | None) -> str:
    if value is None:
        return ""
    return fmt.percent(value) if metric.percent else fmt.fixed(value, 3)


def _mean_and_spread(metric: MetricInfo, values: Sequence[float]) -> tuple[str, str]:
    if not values:
        return "", ""
    hits = set(values) <= {0.0, 1.0}  # their mean says all of them
    spread = "" if hits or len(values) < 2 else f"± {_value(metric, pstdev(values))}"
    return _value(metric, fmean(values)), spread


def _mean_curves(summary: MethodSummary, ranking: str) -> dict[str, list[float]]:
    """The mean insertion and deletion curves, by how they are drawn."""
    curves = {style: summary.curves[name] for name, style in _curve_names(ranking).items() if summary.curves.get(name)}
    return {style: [fmean(step) for step in zip(*rows, strict=True)] for style, rows in curves.items()}


def _ends(curves: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The lowest and the highest value of all curves of a table, 0 among them."""
    values = [0.0, *(value for curve in curves for value in curve)]
    return min(values), max(values)


def _points(values: Sequence[float], ends: tuple[float, float]) -> str:
    """All curves of a table have the same ends."""
    last, low = max(len(values) - 1, 1), ends[0]
    high = (ends[1] - low) or 1.0
    return " ".join(
        f"{step * WIDE / last:.1f},{HIGH * (1 - (value - low) / high):.1f}" for step, value in enumerate(values)
    )
