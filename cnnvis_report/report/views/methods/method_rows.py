"""The methods of a run, with what each of them did."""

from dataclasses import dataclass

from cnnvis_report.records.images import MapRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.methods.method_order import by_family
from cnnvis_report.report.views.methods.standings import MethodStanding, standings
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.summary import MethodSummary


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
