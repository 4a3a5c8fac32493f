"""In which order methods stand, and which of them stand for a run."""

from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.run import RunRecord


@dataclass(frozen=True)
class BestMethod:
    """A method, the layer that it reads where the run has it at several, and its title with that layer."""

    name: str
    layer: str
    title: str


def shown_first(run: RunRecord) -> str:
    """The method whose maps the gallery shows at first; empty where there is none."""
    return max(run.applicable, key=lambda method: method.prominence).name if run.applicable else ""


def best_methods(run: RunRecord, evidence: Evidence | None) -> list[BestMethod]:
    """The recommended methods, best first; without any, the one whose maps are shown first; none without maps."""
    first = shown_first(run)
    labels = (evidence.recommended if evidence else ()) or ((first,) if first else ())
    named = ((label, *label.partition("@")) for label in labels)
    return [BestMethod(name, layer, words.title(run, label)) for label, name, _, layer in named]
