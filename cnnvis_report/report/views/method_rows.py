"""The methods of a run, with what each of them did."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnvis_report.records.images import MapRecord
from cnnvis_report.records.methods import Family, MethodInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.summary import POINTING_GAME, MethodSummary, Summary


@dataclass(frozen=True)
class MethodRow:
    """A method in a table.

    not_applicable: why the network has no maps of it, empty where it has. passes: what a map takes, in words.
    pointing: how often its peak lies in the mask, from 0 to 1; None without masks. checks: what its checks say.
    """

    method: MethodInfo
    summary: MethodSummary
    not_applicable: str
    passes: str
    pointing: float | None
    checks: tuple[str, ...]


def by_family(methods: Sequence[MethodInfo]) -> list[MethodInfo]:
    """By family, the known ones first, and by year within, so that a method follows what it builds on."""
    order = {family.value: position for position, family in enumerate(Family)}
    key = lambda method: (order.get(method.family, len(order)), method.family, _year(method), method.name)  # noqa: E731
    return sorted(methods, key=key)


def method_rows(run: RunRecord, summary: Summary) -> list[MethodRow]:
    """Every method of the run, by family."""
    reasons = {gap.method: gap.reason for gap in run.not_applicable}
    rows = []
    for method in by_family(run.methods):
        found = summary.methods.get(method.name, MethodSummary())
        rows.append(
            MethodRow(
                method,
                found,
                reasons.get(method.name, ""),
                fmt.passes(found.example.evidence) if found.example else "–",
                fmean(found.values[POINTING_GAME]) if found.values.get(POINTING_GAME) else None,
                _checks(found, run.network.quantity),
            )
        )
    return rows


def shown_first(run: RunRecord) -> str:
    """The method whose maps the gallery shows at first; empty where there is none."""
    missing = {gap.method for gap in run.not_applicable}
    there = [method for method in run.methods if method.name not in missing]
    return max(there, key=lambda method: method.prominence).name if there else ""


def map_evidence(run: RunRecord, record: MapRecord) -> list[str]:
    """What a map's method states of it, and what it took."""
    notes, method = record.evidence.notes, run.method(record.method)
    return [*fmt.evidence(notes, method, run.network.quantity), fmt.passes(record.evidence)]


def _year(method: MethodInfo) -> str:
    found = re.search(r"\b(19|20)\d\d\b", method.source)
    return found[0] if found else ""


def _checks(summary: MethodSummary, quantity: str) -> tuple[str, ...]:
    """What the checks of a method's maps say over the run."""
    said = []
    notes = summary.example.evidence.notes if summary.example else {}
    if "coverage" in notes:
        said.append(str(notes["coverage"]))
    if summary.residuals:
        ordered = sorted(summary.residuals)
        median, largest = fmt.percent(ordered[len(ordered) // 2]), fmt.percent(ordered[-1])
        said.append(f"completeness error {median} (median), {largest} at most")
    if summary.conserved:
        ordered = sorted(summary.conserved)
        low, median, high = (fmt.number(round(ordered[(len(ordered) - 1) * k // 2], 2)) for k in (0, 1, 2))
        said.append(f"Σ relevance = {median} × {quantity} (median), from {low} to {high}")
    missing = summary.reasons.most_common(3)
    said += [f"{fmt.count(number, 'missing map')}: {reason}" for reason, number in missing]
    return tuple(said)
