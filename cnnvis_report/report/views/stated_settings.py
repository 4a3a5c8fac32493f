"""The settings of a run as pages state them: in the place of auto what it chose."""

from collections.abc import Iterator, Mapping

from cnnvis_report.evidence import words
from cnnvis_report.records.run import RunRecord, Setting
from cnnvis_report.report.views import formatting as fmt

OF_IMAGES = ("labels",)  # settings that say nothing without images
AUTO = ("auto", None)  # values with which the program chooses


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
