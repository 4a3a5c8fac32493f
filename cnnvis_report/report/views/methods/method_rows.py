"""The methods of a run, with what each of them did and what the evidence says of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.families import by_family
from cnnvis_report.evidence.method_checks import outcome
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from cnnvis_report.records.images import MapRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.summary import MethodSummary


@dataclass(frozen=True)
class CheckLine:
    """A check: its name, what came of it, as `evidence.checks.outcome` says it, and what was seen."""

    name: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class MethodStanding:
    """The verdict on a method at one layer.

    layer: empty where the method has no other. verdict: its standing. same: whose map it gives, and
    why; empty where it stands for itself. scores: the measures that the verdict cites, each with what was scored.
    """

    layer: str
    verdict: str
    same: str
    scores: tuple[tuple[str, str], ...]
    checks: tuple[CheckLine, ...]


def standings(run: RunRecord, evidence: Evidence | None, method: str) -> tuple[MethodStanding, ...]:
    """The verdicts on a method, one per layer; none where nothing was measured or the network has no map of it."""
    verdicts = [row for row in (evidence.methods if evidence else ()) if row.method == method]
    if evidence is None or any(row.standing is Standing.NOT_APPLICABLE for row in verdicts):
        return ()
    return tuple(
        MethodStanding(
            layer=row.layer if len(verdicts) > 1 else "",
            verdict=words.standing(row, evidence).capitalize(),
            same=f"{words.title(run, row.same_as)}: {row.same_because}" if row.same_as else "",
            scores=tuple(_scores(run, evidence, row)),
            checks=tuple(CheckLine(check.name, outcome(check), check.reason) for check in row.checks),
        )
        for row in verdicts
    )


def _scores(run: RunRecord, evidence: Evidence, row: MethodEvidence) -> Iterator[tuple[str, str]]:
    for name in filter(None, (evidence.faithfulness, evidence.localization)):
        measured, metric = row.measures.get(name), words.metric(run, name)
        if measured is None:
            continue
        parts = [words.interval(measured.value, percent=metric.percent)]
        if measured.difference:
            parts.append(f"{words.difference(measured.difference, percent=metric.percent)} to a random map")
        if measured.behind:
            parts.append(f"behind the best by {words.interval(measured.behind, percent=metric.percent)}")
        yield metric.title, "; ".join(parts) + f" (n = {measured.value.images})"


@dataclass(frozen=True)
class MethodRow:
    """A method in a table.

    not_applicable: why the network has no maps of it, empty where it has. passes: what a map takes, in words.
    stated: what the method states of its maps, and how many are missing. standings: verdicts on it, one per layer.
    """

    method: MethodInfo
    not_applicable: str
    passes: str
    stated: tuple[str, ...]
    standings: tuple[MethodStanding, ...]


def method_rows(report: Report) -> list[MethodRow]:
    """Every method of the run, by family."""
    run = report.run
    reasons = {gap.method: gap.reason for gap in run.not_applicable}
    rows = []
    for method in by_family(run.methods):
        summary = report.summary.methods.get(method.name, MethodSummary())
        rows.append(
            MethodRow(
                method,
                reasons.get(method.name, ""),
                _passes(summary.example) if summary.example else "–",
                _stated(summary),
                standings(run, report.evidence, method.name),
            )
        )
    return rows


def map_evidence(run: RunRecord, record: MapRecord) -> list[str]:
    """What a map's method states of it, and what it took."""
    notes, method = record.evidence.notes, run.method(record.method)
    return [*fmt.evidence(notes, method, run.network.quantity), _passes(record)]


def _passes(record: MapRecord) -> str:
    return fmt.passes(record.evidence.forward, record.evidence.backward)


def _stated(summary: MethodSummary) -> tuple[str, ...]:
    """What the first map states of all of them, and why others are missing."""
    notes = summary.example.evidence.notes if summary.example else {}
    stated = [str(notes["coverage"])] if "coverage" in notes else []
    missing = summary.reasons.most_common(3)
    return (*stated, *(f"{fmt.count(number, 'missing map')}: {reason}" for reason, number in missing))
