"""The methods of a comparison: how far their maps moved, and what was measured of them in each run."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.report.bibtex import bibliography
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.views.links import Links

DASH = "–"
MOVED = (
    "1 − Spearman's rank correlation of the maps of the same image for the same class: 0 where both rank all positions "
    "alike, 1 where their ranks are unrelated, 2 where they are opposite. Median over images, with its 95% interval."
)
MASK = "The share of the positive relevance that lies in the mask, mean over the images that have one."


@dataclass(frozen=True)
class MethodsRow:
    """A method in a table: its key, its title, a cell a column, and whether it explains nothing."""

    key: str
    title: str
    cells: list[str]
    quiet: bool


@dataclass(frozen=True)
class MethodsTable:
    """A table of methods.

    anchor: of its section. note: what its numbers are. source: where the measure was defined; empty where that is here.
    """

    anchor: str
    title: str
    note: str
    source: str
    columns: list[str]
    rows: list[MethodsRow]


@dataclass(frozen=True)
class ComparisonMethods:
    """What the page of methods shows: a table a measure, what one run alone has, other layers, and the sources."""

    tables: list[MethodsTable]
    alone: list[str]
    differing: list[tuple[str, list[str]]]
    bibliography: str


def comparison_methods(report: ComparedReport, _links: Links) -> ComparisonMethods:
    """Gather what the page of methods shows."""
    layers = [
        (method.title, list(method.layers))
        for method in report.comparison.methods
        if len({layer for layer in method.layers if layer}) > 1
    ]
    entries = bibliography(method.info for method in report.methods)
    return ComparisonMethods(list(_tables(report)), list(_alone(report)), layers, entries)


def _tables(report: ComparedReport) -> Iterator[MethodsTable]:
    names, methods = report.names, report.methods
    if any(any(method.moved) for method in methods):
        rows = [_row(method, list(map(words.median, method.moved))) for method in methods]
        yield MethodsTable("moved", "Maps moved", MOVED, "", [f"{name} against {names[0]}" for name in names[1:]], rows)
    if any(any(method.mask_energy) for method in methods):
        differences = [f"{name} − {names[0]}" for name in names[1:]]
        rows = [
            _row(
                method,
                [
                    *(words.interval(value, percent=True) for value in method.mask_energy),
                    *(words.difference(value, percent=True) for value in method.mask_energy_difference),
                ],
            )
            for method in methods
        ]
        yield MethodsTable("mask", "Relevance in the mask", MASK, "", [*names, *differences], rows)
    for metric in report.comparison.metrics:
        table = _measure(report, metric)
        if table.rows and len(_measured(report, metric)) > 1:
            yield table


def _measured(report: ComparedReport, metric: MetricInfo) -> list[str]:
    """The runs in which a measure has a value of some compared method."""
    keys = {method.key for method in report.methods}
    runs = zip(report.names, report.comparison.runs, strict=True)
    return [name for name, run in runs if keys & run.measures.get(metric.name, {}).keys()]


def _alone(report: ComparedReport) -> Iterator[str]:
    """What was measured in one run alone, a sentence a run: a table of it would compare nothing."""
    titles: dict[str, list[str]] = {}
    for metric in report.comparison.metrics:
        names = _measured(report, metric)
        if len(names) == 1:
            titles.setdefault(names[0], []).append(metric.title)
    for name, measures in titles.items():
        yield f"Measured in {name} alone, and so not compared: {words.listed(measures)}."


def _measure(report: ComparedReport, metric: MetricInfo) -> MethodsTable:
    """What a measure of the runs says of each method, side by side."""
    columns = [run.measures.get(metric.name, {}) for run in report.comparison.runs]
    names = report.names
    changes = any(metric.name in method.measure_differences for method in report.comparison.methods)
    rows = [
        _row(
            method,
            [
                *(words.interval(column.get(method.key), percent=metric.percent) for column in columns),
                *(_changes(method, metric, len(names) - 1) if changes else ()),
            ],
        )
        for method in report.methods
        if any(method.key in column for column in columns)
    ]
    differences = [f"{name} − {names[0]}" for name in names[1:]] if changes else []
    arrow = "↑" if metric.higher_is_better else "↓"
    note = f"{metric.description.rstrip('.')}. Mean over the images of each run, with its 95% interval."
    note += " Differences are over the images on which both runs measured it." if changes else ""
    return MethodsTable(metric.name, f"{metric.title} {arrow}", note, metric.source, [*names, *differences], rows)


def _changes(method: ComparedMethod, metric: MetricInfo, later: int) -> Iterator[str]:
    """How the measure differs from that of the first run, a cell a later run."""
    for value in method.measure_differences.get(metric.name, (None,) * later):
        yield words.difference(value, percent=metric.percent)


def _row(method: ComparedMethod, cells: list[str]) -> MethodsRow:
    return MethodsRow(method.key, method.title, [cell or DASH for cell in cells], method.info.baseline)
