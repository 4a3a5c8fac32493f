"""What the enlarged view and exported figures say of an image's maps, beside their numbers."""

from collections.abc import Iterator
from typing import Any

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import MethodEvidence, Standing
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.bibtex import bibtex_key
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.report import Report

NO_BETTER = (Standing.CHANCE, Standing.WORSE)


def map_facts(report: Report, image: ImageRecord) -> dict[str, Any]:
    """The facts as a page's scripts take them.

    "id", "name" and "model" in full; "noun": what a score is of; "targets": such as "triangle (69.6%)" by class index;
    "keys": BibTeX keys by method, where there is a source; "warnings": sentences by method and layer.
    """
    used = {record.method for record in image.maps}
    warnings: dict[str, dict[str, list[str]]] = {}
    for row in report.evidence.methods if report.evidence else ():
        if row.method in used and (sentences := list(_warnings(report, row))):
            warnings.setdefault(row.method, {})[row.layer] = sentences
    return {
        "id": image.id,
        "name": image.name,
        "model": report.network.name,
        "noun": fmt.column(report.network.kind),
        "targets": {str(target.index): fmt.named_score(target) for target in image.targets},
        "keys": {info.name: bibtex_key(info) for info in report.run.methods if info.name in used and bibtex_key(info)},
        "warnings": warnings,
    }


def _warnings(report: Report, row: MethodEvidence) -> Iterator[str]:
    """What a reader of a method's map has to know before it is believed."""
    if row.standing in NO_BETTER:
        yield f"⚠ {str(row.standing).capitalize()}{_difference(report, row)}"
    for check in row.failures:
        yield f"⚠ {check.name.capitalize()}: {check.reason}"
    if row.same_as:
        yield f"Same map as {words.title(report.run, row.same_as)}: {row.same_because}"


def _difference(report: Report, row: MethodEvidence) -> str:
    """How far from a random map, such as ": relevance gain (mean) +0.01 [−0.02, 0.04] to it (n = 16)"."""
    name = report.evidence.faithfulness if report.evidence else ""
    measured = row.measures.get(name)
    if measured is None or measured.difference is None:
        return ""
    metric = words.metric(report.run, name)
    text = words.difference(measured.difference, percent=metric.percent)
    return f": {words.within_sentence(metric.title)} {text} to it (n = {measured.difference.images})"
