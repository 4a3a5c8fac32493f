"""The settings of a run as pages state them: in the place of auto what it chose; and what bfloat16 changed."""

from collections.abc import Iterator, Mapping, Sequence

from cnnvis_report.evidence import words
from cnnvis_report.records.metrics import MetricPrecision
from cnnvis_report.records.run import RunRecord, Setting
from cnnvis_report.report.views import formatting as fmt

OF_IMAGES = ("labels",)  # settings that say nothing without images
AUTO = ("auto", None)  # values with which the program chooses
NAMED = 3  # metrics that share their passes, before the rest is counted


def stated_settings(run: RunRecord) -> Iterator[tuple[str, str]]:
    """Names and values, without those that aren't set."""
    chosen = _chosen(run)
    for name, value in run.settings.items():
        if value in AUTO and name in chosen:
            yield _name(name), f"{chosen[name]} (auto)"
        elif value not in (None, "", [], {}) and (run.images or name not in OF_IMAGES):
            yield _name(name), fmt.setting(value)
    passes = run.passes_per_image
    if run.methods:
        forward, backward = (fmt.number(passes.get(way, 0)) for way in ("forward", "backward"))
        yield "passes per image", f"{forward} forward, {backward} backward"


def _name(name: str) -> str:
    return name.replace("_", " ")


def _chosen(run: RunRecord) -> dict[str, str]:
    """What was chosen for each setting that a user leaves to the program; without what the run doesn't say."""
    recorded: Setting = run.provenance.get("chosen")
    chosen = {name: fmt.setting(value) for name, value in recorded.items()} if isinstance(recorded, Mapping) else {}
    device = str(run.provenance.get("device", ""))
    return chosen | {
        **({"device": device} if device else {}),
        "metrics": run.evaluation.budget if run.evaluation else "none",
        "inspect": run.inspection.budget if run.inspection else "none",
        "precision": _precision(run),
    }


def _precision(run: RunRecord) -> str:
    """The floating-point type of all maps and metrics, or which of them have another."""
    methods = [run.method(check.method).title for check in run.precision if check.used]
    checks = run.evaluation.precision if run.evaluation else ()
    reduced = [*dict.fromkeys(methods), *(["metrics"] if any(check.used for check in checks) else [])]
    return f"bfloat16 for {words.listed(reduced)}, else float32" if reduced else "float32"


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
