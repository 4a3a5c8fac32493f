"""The methods that stand for a run: those of the best evidence, or of the highest prominence without any."""

from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views.methods.method_order import shown_first
from cnnvis_report.report.views.report import Report


@dataclass(frozen=True)
class BestMethod:
    """A method, the layer that it reads where the run has it at several, and its title with that layer."""

    name: str
    layer: str
    title: str


def best_methods(report: Report) -> list[BestMethod]:
    """The recommended methods, best first; without any, the one whose maps are shown first; none without maps."""
    return best_methods_of(report.run, report.evidence)


def best_methods_of(run: RunRecord, evidence: Evidence | None) -> list[BestMethod]:
    """The same of a run and its evidence."""
    recommended = evidence.recommended if evidence else ()
    first = shown_first(run)
    labels = recommended or ((first,) if first else ())
    return [BestMethod(*_parts(label), words.title(run, label)) for label in labels]


def _parts(label: str) -> tuple[str, str]:
    method, _, layer = label.partition("@")
    return method, layer
