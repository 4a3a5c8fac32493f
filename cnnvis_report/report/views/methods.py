"""The methods page: what each method is, where it comes from, what it took, and how alike their maps are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.measures import MeasuresTable, measures_tables
from cnnvis_report.report.views.method_rows import MethodRow, by_family, method_rows
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.summary import Summary


@dataclass(frozen=True)
class Likeness:
    """A mean rank correlation, as words and as the share of a color; "–" where maps are constant."""

    value: str
    share: float
    negative: bool


@dataclass(frozen=True)
class Agreement:
    """Mean rank correlations between the maps of methods, in the order of `methods` both ways."""

    methods: list[MethodInfo]
    rows: list[tuple[MethodInfo, list[Likeness]]]


@dataclass(frozen=True)
class Methods:
    """What the methods page shows.

    rows: all methods. families: the same by family. measures: what was measured of them, a table for each kind.
    agreement: how alike their maps are, where that was measured.
    """

    network: NetworkRecord
    lead: list[str]
    rows: list[MethodRow]
    families: list[tuple[str, list[MethodRow]]]
    measures: list[MeasuresTable]
    agreement: Agreement | None


def methods(report: Report, _links: Links) -> Methods:
    """Gather what the methods page shows."""
    rows = method_rows(report)
    return Methods(
        network=report.network,
        lead=_lead(report.network),
        rows=rows,
        families=[(name, list(group)) for name, group in groupby(rows, key=lambda row: row.method.family)],
        measures=measures_tables(report.run, report.evidence) if report.evidence else [],
        agreement=agreement(report.run.methods, report.summary),
    )


def _lead(network: NetworkRecord) -> list[str]:
    """What the maps explain, in sentences."""
    if network.kind is ScoreKind.VALUE:
        what = "the outputs of the network"
    else:
        scores = f": {network.scores}" if network.scores != "logits" else ", its logit"
        what = f"the score of a {fmt.column(network.kind)}{scores}"
    said = [f"Maps explain {what}."]
    if network.kind is ScoreKind.BINARY and network.quantity is Quantity.LOGIT:
        said.append(
            "The network has one logit, that of the positive class; that of the negative class is its negation."
        )
    said.append("Maps are stored as they are computed; only the pages scale and color them.")
    said.append("In the first palette, signed maps are red where they speak for a class, blue where against it.")
    return said


def agreement(methods: Sequence[MethodInfo], summary: Summary) -> Agreement | None:
    """Mean rank correlations between methods; None where fewer than two were compared."""
    compared = [method for method in by_family(methods) if (method.name, method.name) in summary.agreement]
    if len(compared) < 2:
        return None
    values = summary.agreement
    return Agreement(compared, [(a, [_likeness(values.get((a.name, b.name), [])) for b in compared]) for a in compared])


def _likeness(values: Sequence[float]) -> Likeness:
    if not values:
        return Likeness("–", 0.0, negative=False)
    mean = round(fmean(values), 2)
    text = f"{abs(mean):.2f}".removeprefix("0") if abs(mean) < 1 else "1"
    return Likeness("0" if mean == 0 else f"{'−' if mean < 0 else ''}{text}", abs(mean), negative=mean < 0)
