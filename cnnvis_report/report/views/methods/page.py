"""The methods page: what came of each method, what it is, where it comes from, and how alike their maps are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from cnnvis_report.evidence import words
from cnnvis_report.evidence.families import by_family
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.report.bibtex import bibliography, bibtex_entry, linked
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.methods.definition import Definition, definition
from cnnvis_report.report.views.methods.mathml import mathml
from cnnvis_report.report.views.methods.measure_tables import MeasuresTable, measures_tables
from cnnvis_report.report.views.methods.method_rows import method_rows
from cnnvis_report.report.views.methods.method_table import MethodTable, method_table
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
class About:
    """A method's own text on the page.

    formula: as MathML; None where it has none. sources: pieces of text, each with an address or none. bibtex: the
    entries of its works; empty where none is known.
    """

    formula: Markup | None
    definition: Definition
    sources: list[tuple[str, str]]
    bibtex: str


@dataclass(frozen=True)
class Methods:
    """What the methods page shows.

    sentences: what to use, or why nothing is ranked; behind it those that `others` is the title of. lead: what maps
    explain. table: all methods with what came of them. about: their texts by name. bibliography: the entries of all of
    them. measures: what was measured of them, a table for each kind; with_intervals: whether of enough images for any.
    agreement: how alike their maps are, where that was measured. same: methods with equal maps, and why.
    """

    network: NetworkRecord
    sentences: tuple[str, ...]
    others: str
    lead: list[str]
    table: MethodTable
    about: dict[str, About]
    bibliography: str
    measures: list[MeasuresTable]
    with_intervals: bool
    agreement: Agreement | None
    same: list[str]


def methods(report: Report, _links: Links) -> Methods:
    """Gather what the methods page shows."""
    run, evidence = report.run, report.evidence
    table = method_table(run, evidence, method_rows(report))
    measures = measures_tables(run, evidence) if evidence else []
    return Methods(
        network=report.network,
        sentences=tuple(_sentences(evidence)) if evidence else (),
        others=words.warnings_title(evidence) if evidence else "",
        lead=[*_lead(report.network), *_marks(table)],
        table=table,
        about={method.name: _about(method) for method in run.methods},
        bibliography=bibliography(run.methods),
        measures=measures,
        with_intervals=any(ends for one in measures for row in one.rows for _, ends in row.cells),
        agreement=agreement(run.methods, report.summary),
        same=list(_same(run, evidence)) if evidence else [],
    )


def _sentences(evidence: Evidence) -> Iterator[str]:
    if not evidence.faithfulness:
        yield from evidence.limits[:1]
    yield from evidence.text


def _about(method: MethodInfo) -> About:
    return About(
        formula=mathml(method.formula) if method.formula else None,
        definition=definition(method),
        sources=linked(method.source),
        bibtex=bibtex_entry(method),
    )


def _same(run: RunRecord, evidence: Evidence) -> Iterator[str]:
    """Methods with the same maps, and why, in sentences."""
    for verdict in evidence.methods:
        if verdict.same_as:
            titles = words.title(run, words.label(verdict, evidence)), words.title(run, verdict.same_as)
            yield f"{titles[0]} gives the maps of {titles[1]}: {verdict.same_because}."


def _lead(network: NetworkRecord) -> list[str]:
    """What the maps explain, in sentences."""
    if network.kind is ScoreKind.VALUE:
        what = "the outputs of the network"
    else:
        scores = f": {network.scores}" if network.scores != "logits" else ", its logit"
        what = f"the score of a {fmt.column(network.kind)}{scores}"
    sentences = [f"Maps explain {what}."]
    if network.kind is ScoreKind.VALUE:
        sentences.append(
            "They explain it up: where a signed map is above zero the output would be lower without what is there, "
            "whichever sign the output itself has. Maps without a sign show what raises it, or matters either way, as "
            "each method says."
        )
    if network.kind is ScoreKind.SEGMENTATION:
        sentences.append(
            "The region is that of the image as it is, also where a method hides or changes a part of it. Classes that "
            "are predicted nowhere in an image aren't explained there."
        )
    if network.kind is ScoreKind.DETECTION:
        sentences.append(
            "The box is that of the image as it is: where a method hides or changes a part of it, a box counts by its "
            "score times its overlap with that box (intersection over union). Classes without a box in an image aren't "
            "explained there."
        )
    if network.kind is ScoreKind.BINARY and network.quantity is Quantity.LOGIT:
        sentences.append(
            "The network has one logit, that of the positive class; that of the negative class is its negation."
        )
    sentences.append("Maps are stored as they are computed; only the pages scale and color them.")
    sentences.append("In the first palette, signed maps are red where they speak for a class, blue where against it.")
    return sentences


def _marks(table: MethodTable) -> Iterator[str]:
    """What the marks of the randomization test say, where a method bears one."""
    if any(column.name == "randomization" for column in table.columns):
        yield "Randomization test: ✓ the maps depend on the weights, ✗ they don't, ? that isn't decided."


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
