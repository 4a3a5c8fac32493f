"""The methods that stand for a run: those of the best evidence, or of the highest prominence without any."""

from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.report.views.method_rows import shown_first
from cnnvis_report.report.views.report import Report


@dataclass(frozen=True)
class BestMethod:
    """A method, the layer that it reads where the run has it at several, and its title with that layer."""

    name: str
    layer: str
    title: str


def best_methods(report: Report) -> list[BestMethod]:
    """The recommended methods, best first; without any, the one whose maps are shown first; none without maps."""
    recommended = report.evidence.recommended if report.evidence else ()
    first = shown_first(report.run)
    labels = recommended or ((first,) if first else ())
    return [BestMethod(*_parts(label), words.title(report.run, label)) for label in labels]


def _parts(label: str) -> tuple[str, str]:
    method, _, layer = label.partition("@")
    return method, layer
