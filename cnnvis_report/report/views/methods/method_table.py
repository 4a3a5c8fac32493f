"""The table of methods: what came of each, in cells that can be sorted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.method_checks import RANDOMIZATION, outcome
from cnnvis_report.records.evidence import Evidence, MeasureOfMethod, MethodEvidence, Standing
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views.methods.method_rows import MethodRow
from cnnvis_report.report.views.overview.findings import POINTING

MARKS = {"passed": "✓", "failed": "✗", "not decided": "?"}


@dataclass(frozen=True)
class Column:
    """A column: its name in the address, its title, and what it holds.

    descending: whether the highest values are the best. images: how many count; 0 where that says nothing.
    """

    name: str
    title: str
    hint: str = ""
    numeric: bool = False
    descending: bool = False
    images: int = 0


@dataclass(frozen=True)
class Cell:
    """What came of a method in a column.

    order: by which rows are sorted, a number or a text; empty where there is nothing, which comes last.
    problem: whether it says that a check failed. link: the name of another method; empty where there is none.
    """

    text: str = "–"
    order: str = ""
    problem: bool = False
    link: str = ""


@dataclass(frozen=True)
class TableRow:
    """A method with its cells, one a column."""

    row: MethodRow
    cells: list[Cell]


@dataclass(frozen=True)
class MethodTable:
    """All methods, best first, or by family where nothing was measured."""

    columns: list[Column]
    rows: list[TableRow]


def method_table(run: RunRecord, evidence: Evidence | None, rows: Sequence[MethodRow]) -> MethodTable:
    """What came of each method; of a method at several layers, at the best of them."""
    verdicts: dict[str, tuple[int, MethodEvidence]] = {}
    for position, verdict in enumerate(evidence.methods if evidence else ()):
        verdicts.setdefault(verdict.method, (position, verdict))
    last = (len(verdicts), None)
    ordered = sorted(rows, key=lambda row: verdicts.get(row.method.name, last)[0])
    builder = _Builder(run, evidence)
    columns = [*builder.columns()]
    return MethodTable(
        columns, [TableRow(row, list(builder.cells(row, *verdicts.get(row.method.name, last)))) for row in ordered]
    )


@dataclass(frozen=True)
class _Builder:
    run: RunRecord
    evidence: Evidence | None

    def columns(self) -> Iterator[Column]:
        """Those for which there is something."""
        yield Column("family", "Family")
        if self.evidence is not None:
            yield Column("standing", "Standing", "What the evidence comes to; in all measures, the first class counts")
            for metric in self._metrics():
                images = next(measure.images for measure in self.evidence.measures if measure.name == metric.name)
                hint = f"{metric.description}: the difference to a random map, with 95% interval"
                yield Column(
                    metric.name, f"{metric.title} − random", hint, numeric=True, descending=True, images=images
                )
            if self._randomized():
                hint = "Rank correlation with the maps of a copy with random weights: 0 for maps that depend on them"
                yield Column("randomization", "Randomization test (ρ)", hint, numeric=True)
            yield Column("same", "Same map as")
        yield Column("passes", "Passes per map", numeric=False)

    def cells(self, row: MethodRow, position: int, verdict: MethodEvidence | None) -> Iterator[Cell]:
        """The cells of a method, in the order of the columns."""
        yield Cell(row.method.family, row.method.family)
        if self.evidence is not None:
            yield self._standing(row, position, verdict)
            for metric in self._metrics():
                yield _score(verdict.measures.get(metric.name) if verdict else None, metric)
            if self._randomized():
                yield _randomization(verdict)
            yield self._same(verdict)
        known = verdict is not None and verdict.forward is not None and verdict.backward is not None
        number = (verdict.forward or 0) + (verdict.backward or 0) if known and verdict else None
        yield Cell(row.passes, "" if number is None else f"{number:g}")

    def _metrics(self) -> list[MetricInfo]:
        """The measure that ranks, and the pointing game; without it, the measure of localization that is cited."""
        if self.evidence is None:
            return []
        measured = {measure.name for measure in self.evidence.measures}
        localization = POINTING if POINTING in measured else self.evidence.localization
        names = dict.fromkeys(filter(None, (self.evidence.faithfulness, localization)))
        return [words.metric(self.run, name) for name in names if name in measured]

    def _randomized(self) -> bool:
        return any(verdict.check(RANDOMIZATION) for verdict in (self.evidence.methods if self.evidence else ()))

    def _standing(self, row: MethodRow, position: int, verdict: MethodEvidence | None) -> Cell:
        if row.not_applicable or verdict is None or self.evidence is None:
            return Cell("not applicable" if row.not_applicable else "not measured")
        failed = verdict.standing is Standing.FAILED
        return Cell(f"{'✗ ' if failed else ''}{words.standing(verdict, self.evidence)}", f"{position}", problem=failed)

    def _same(self, verdict: MethodEvidence | None) -> Cell:
        if verdict is None or not verdict.same_as:
            return Cell()
        title = words.title(self.run, verdict.same_as)
        return Cell(title, title, link=verdict.same_as.partition("@")[0])


def _score(measured: MeasureOfMethod | None, metric: MetricInfo) -> Cell:
    if measured is None:
        return Cell()
    if measured.difference is None:
        return Cell(words.interval(measured.value, percent=metric.percent))
    return Cell(words.difference(measured.difference, percent=metric.percent), f"{measured.difference.mean:.6g}")


def _randomization(verdict: MethodEvidence | None) -> Cell:
    check = verdict.check(RANDOMIZATION) if verdict else None
    if check is None or check.value is None:
        return Cell()
    result = outcome(check)
    return Cell(f"{MARKS[result]} {words.interval(check.value)}", f"{check.value.mean:.6g}", problem=result == "failed")
