"""The runs of a comparison: what each of them is, what only some have, and what there is to know before trusting it."""

from dataclasses import dataclass

from cnnvis_report.records.comparison import Unshared
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.stated_settings import stated_settings

KINDS = {"images": "Images", "classes": "Classes", "methods": "Methods", "layers": "Layers"}
NAMED = 8


@dataclass(frozen=True)
class ComparisonRuns:
    """What the page of the runs shows.

    facts: what is known of the runs, with a cell a run. settings: those that differ, with a cell a run. only: what not
    all runs have: the kind, the run, and the names.
    """

    names: list[str]
    facts: list[tuple[str, list[str]]]
    settings: list[tuple[str, list[str]]]
    same: int
    only: list[tuple[str, str, str]]
    notices: list[str]


def comparison_runs(report: ComparedReport, _links: Links) -> ComparisonRuns:
    """Gather what the page of the runs shows."""
    runs, records = report.comparison.runs, [run.record for run in report.runs]
    facts = [
        ("Title", [run.title for run in runs]),
        ("Network", [run.network for run in runs]),
        ("Parameters", [fmt.number(record.network.parameters) for record in records]),
        ("Images", [fmt.number(run.images) for run in runs]),
        ("Default layer", [record.network.default_layer for record in records]),
        ("Fingerprint", [run.fingerprint for run in runs]),
    ]
    settings = [dict(stated_settings(record)) for record in records]
    names = dict.fromkeys(name for one in settings for name in one)
    rows = [(name, [one.get(name, "") for one in settings]) for name in names]
    differing = [row for row in rows if len(set(row[1])) > 1 and row[0] != "title"]
    return ComparisonRuns(
        names=report.names,
        facts=[(name, [cell or "–" for cell in cells]) for name, cells in facts if any(cells)],
        settings=[(name, [cell or "–" for cell in cells]) for name, cells in differing],
        same=len(rows) - len(differing),
        only=[
            (KINDS.get(kind, kind), report.names[entry.run], _named(entry))
            for kind, entries in report.comparison.only.items()
            for entry in entries
        ],
        notices=list(report.comparison.notices),
    )


def _named(entry: Unshared) -> str:
    names = ", ".join(entry.names[:NAMED])
    more = entry.count - len(entry.names[:NAMED])
    return f"{names} and {fmt.number(more)} more" if more > 0 else names
