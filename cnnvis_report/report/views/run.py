"""The run page: the network, what was asked for, where it ran, and everything that is missing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.citation import appendix, references
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.methods.method_rows import MethodRow, method_rows
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.stated_settings import precision_of_methods, precision_of_metrics, stated_settings

NAMED = 5  # images that lack a map for one reason


@dataclass(frozen=True)
class Run:
    """What the run page shows.

    sentence: what was computed. command: what gives the run again; empty where there is none. facts, settings,
    environment: rows of a name and a value. cost: the methods, with what their maps took. missing: files that were
    skipped and maps that there aren't, each with the reason; nothing_missing: what to say where there are none, empty
    where nobody would ask. appendix: how the maps were computed, as a paper's
    appendix says it. references: BibTeX of the program and of the methods.
    """

    sentence: str
    command: str
    facts: list[tuple[str, str]]
    settings: list[tuple[str, str]]
    fingerprint: str
    environment: list[tuple[str, str]]
    notices: tuple[str, ...]
    cost: list[MethodRow]
    missing: Iterable[tuple[str, str]]
    nothing_missing: str
    appendix: str
    references: str


def run(report: Report, _links: Links) -> Run:
    """Gather what the run page shows."""
    return Run(
        sentence=_sentence(report),
        command=str(report.run.provenance.get("command", "")),
        facts=_facts(report.run),
        settings=[*stated_settings(report.run), *precision_of_methods(report.run), *precision_of_metrics(report.run)],
        fingerprint=report.run.fingerprint,
        environment=_environment(report.run),
        notices=report.run.notices,
        cost=[row for row in method_rows(report) if not row.not_applicable],
        missing=_missing(report) if report.run.images else list(_missing(report)),
        nothing_missing=_nothing_missing(report.run),
        appendix=appendix(report.run),
        references=references(report.run),
    )


def _sentence(report: Report) -> str:
    """Such as "18 methods × 3 classes on 36 images: 1,908 maps, 2 missing."."""
    run, summary = report.run, report.summary
    if not run.methods:
        images = f"on {fmt.count(summary.images, 'image')}, no maps" if summary.images else "without images"
        return f"Features of layers and units {images}."
    columns = fmt.columns(summary.classes, run.network.kind)
    missing = f", {fmt.number(summary.missing)} missing" if summary.missing else ""
    return (
        f"{fmt.count(len(run.applicable), 'method')} × {columns} on {fmt.count(summary.images, 'image')}: "
        f"{fmt.count(summary.maps, 'map')}{missing}."
    )


def _facts(run: RunRecord) -> list[tuple[str, str]]:
    network = run.network
    kind = f"{network.kind}, {network.reason}" if network.reason else str(network.kind)
    layer = network.default_layer or "none with a spatial size"
    if network.default_layer and not run.settings.get("layers"):
        layer += ", the last layer with feature maps on the way to the scores"
    noun = {"label": "Labels", "output": "Outputs"}.get(fmt.column(network.kind), "Classes")
    return [
        ("Name", network.name),
        *([("Opened as", network.loader)] if network.loader else []),
        *([("Conversion", network.conversion.describe())] if network.conversion else []),
        ("Weights", network.weights),
        ("Parameters", fmt.number(network.parameters)),
        (noun, fmt.number(network.classes)),
        ("Scores", kind),
        *([("Explained", network.scores)] if run.methods else []),
        ("Preprocessing", network.preprocessing),
        *([("Layer of the maps", layer)] if run.methods else []),
    ]


def _nothing_missing(run: RunRecord) -> str:
    if not run.images:
        return ""
    return f"None: every file could be read{', and every method gave every map' if run.methods else ''}."


def _missing(report: Report) -> Iterator[tuple[str, str]]:
    run = report.run
    for skipped in run.skipped:
        yield skipped.name, f"skipped: {skipped.reason}"
    for gap in run.not_applicable:
        name = run.method(gap.method).title + (f" at {gap.layer}" if gap.layer else "")
        yield name, f"not applicable to this network: {gap.reason}"
    for stage, reason in run.stages_not_applicable:
        yield stage.capitalize(), f"failed: {reason}"
    yield from _missing_of_images(report)


def _missing_of_images(report: Report) -> Iterator[tuple[str, str]]:
    """What single images lack; what more than a few lack for one reason is a row of its own."""
    images: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], list[str]] = {}
    for image in report.images():
        for lack in dict.fromkeys((gap.method, gap.reason) for gap in image.not_applicable):
            images[lack] += 1
            if images[lack] <= NAMED:
                names.setdefault(lack, []).append(image.name)
    for (method, reason), first in names.items():
        title, count = report.run.method(method).title if method else "", images[method, reason]
        if count > NAMED:
            what = f"{reason}, on {fmt.count(count, 'image')}: {', '.join(first)} and {fmt.number(count - NAMED)} more"
            yield title or "Images", what
        else:
            yield from ((name, f"{title}: {reason}" if title else reason) for name in first)


def _environment(run: RunRecord) -> list[tuple[str, str]]:
    """Versions and machine, for the page about the run."""
    facts = run.provenance
    versions = facts.get("versions")
    named = [(name, str(number)) for name, number in versions.items()] if isinstance(versions, Mapping) else []
    return [
        ("Device", str(facts.get("device", ""))),
        *named,
        ("Python", str(facts.get("python", ""))),
        ("System", str(facts.get("system", ""))),
    ]
