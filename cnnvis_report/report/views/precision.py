"""What bfloat16 changed, in words."""

from collections.abc import Iterator, Sequence

from cnnvis_report.evidence import words
from cnnvis_report.records.metrics import MetricPrecision
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt

NAMED = 3  # metrics that share their passes, before the rest is counted


def precision_of_methods(run: RunRecord) -> Iterator[tuple[str, str]]:
    """The methods that were tried in bfloat16, each with what came of it."""
    for check in run.precision:
        name = run.method(check.method).title + (f" at {check.layer}" if check.layer else "")
        used, other = ("bfloat16", "float32") if check.used else ("float32", "bfloat16")
        if check.correlation is None:
            yield name, f"{used}, as bfloat16 failed: {check.reason}"
        else:
            correlation = fmt.number(check.correlation, 5)
            yield name, f"{used}; rank correlation with {other} {correlation} on {fmt.count(check.images, 'image')}"


def precision_of_metrics(run: RunRecord) -> Iterator[tuple[str, str]]:
    """The metrics that were tried in bfloat16, those together that share their passes, with what came of it."""
    for check in run.evaluation.precision if run.evaluation else ():
        yield _titles(run, check.metrics), _outcome(run, check)


def precision_sentences(run: RunRecord, metrics: Sequence[str]) -> tuple[str, ...]:
    """The same of those that some metrics share, a sentence each."""
    checks = run.evaluation.precision if run.evaluation else ()
    return tuple(
        f"{_titles(run, check.metrics)}: {_outcome(run, check)}." for check in checks if set(check.metrics) & {*metrics}
    )


def _titles(run: RunRecord, names: Sequence[str]) -> str:
    titles = [words.metric(run, name).title for name in names]
    return words.listed([*titles[:NAMED], f"{len(titles) - NAMED} more"] if len(titles) > NAMED + 1 else titles)


def _outcome(run: RunRecord, check: MetricPrecision) -> str:
    used = "bfloat16" if check.used else "float32"
    if check.deviation is None or check.spread is None:
        return f"{used}, as bfloat16 couldn't be compared: {check.reason}"
    share = f", {fmt.percent(check.deviation / check.spread)} of the distance between maps" if check.spread else ""
    moved = f"by {fmt.number(check.deviation, 4)} at most ({words.metric(run, check.worst).title}{share})"
    return f"{used}; bfloat16 moves a map's value {moved} on {fmt.count(check.images, 'image')}"
