"""What a reader may conclude, in sentences."""

from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.run import RunRecord


def text_of(evidence: Evidence, run: RunRecord) -> tuple[str, ...]:
    """What to use, what to avoid, and why."""
    titles = {method.name: method.title for method in run.methods}
    names = [titles.get(label.partition("@")[0], label) for label in evidence.recommended]
    return (f"Use {', '.join(names)}.",) if names else ()


def limits_of(evidence: Evidence, run: RunRecord) -> tuple[str, ...]:
    """What this evidence can't tell."""
    fewer = evidence.images < run.images
    return (f"{evidence.images} of {run.images} images were measured.",) if fewer else ()
