"""What the evidence says of one method, in words: its standing, its checks, and what it scored."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.checks import outcome
from cnnvis_report.records.evidence import Evidence, MethodEvidence, Standing
from cnnvis_report.records.run import RunRecord


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
            verdict=_verdict(row),
            same=f"{words.title(run, row.same_as)}: {row.same_because}" if row.same_as else "",
            scores=tuple(_scores(run, evidence, row)),
            checks=tuple(CheckLine(check.name, outcome(check), check.reason) for check in row.checks),
        )
        for row in verdicts
    )


def _verdict(row: MethodEvidence) -> str:
    ranked = row.standing is not Standing.UNKNOWN or not row.measures
    return str(row.standing).capitalize() if ranked else "Not ranked"


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
