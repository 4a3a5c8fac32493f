"""What was measured of all methods, in one table for each kind of measure."""

from dataclasses import dataclass
from itertools import groupby

from cnnvis_report.evidence import words
from cnnvis_report.evidence.comparison import kind_of
from cnnvis_report.records.evidence import Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views.stated_settings import precision_sentences


@dataclass(frozen=True)
class Column:
    """A measure: its title with the direction that is better, what a value of it is, and where it was defined."""

    title: str
    meaning: str
    source: str
    images: int = 0


@dataclass(frozen=True)
class MeasuresRow:
    """A method with its values: of each measure the mean and the ends of its interval, empty where there is none."""

    title: str
    method: str
    baseline: bool
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MeasuresTable:
    """The measures of one kind, such as "Faithfulness"; methods best first.

    precision: what bfloat16 changed, a sentence for measures that share their passes.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[MeasuresRow, ...]
    precision: tuple[str, ...] = ()


def measures_tables(run: RunRecord, evidence: Evidence) -> list[MeasuresTable]:
    """All that was measured, one table a kind; a measure on which no image counts would be a column of dashes."""
    counted = {measure.name: measure.images for measure in evidence.measures if measure.images}
    infos = [words.metric(run, name) for name in counted]
    kinds = list(MetricKind)
    by_kind = groupby(sorted(infos, key=lambda metric: kinds.index(kind_of(metric))), key=kind_of)
    return [_table(run, evidence, str(kind).capitalize(), list(group), counted) for kind, group in by_kind]


def _table(
    run: RunRecord, evidence: Evidence, title: str, metrics: list[MetricInfo], counted: dict[str, int]
) -> MeasuresTable:
    rows = tuple(
        MeasuresRow(
            words.title(run, words.label(method, evidence)),
            method.method,
            method.standing is Standing.REFERENCE,
            tuple(_cell(method, metric) for metric in metrics),
        )
        for method in evidence.methods
        if any(metric.name in method.measures for metric in metrics)
    )
    columns = tuple(column(run, metric, counted[metric.name]) for metric in metrics)
    return MeasuresTable(title, columns, rows, precision_sentences(run, [metric.name for metric in metrics]))


def _cell(method: MethodEvidence, metric: MetricInfo) -> tuple[str, str]:
    measured = method.measures.get(metric.name)
    return ("", "") if measured is None else mean_and_ends(measured.value, percent=metric.percent)


def mean_and_ends(interval: Interval, *, percent: bool) -> tuple[str, str]:
    """The mean, and the ends of the interval in brackets, empty where it has none."""
    mean, bracket, interval_ends = words.interval(interval, percent=percent).partition("[")
    return mean.strip(), bracket + interval_ends


def column(run: RunRecord, metric: MetricInfo, images: int = 0) -> Column:
    """A measure in the words of what the network gives."""
    info = words.in_terms_of(run, metric)
    return Column(f"{info.title} {'↑' if info.higher_is_better else '↓'}", info.description, info.source, images)
