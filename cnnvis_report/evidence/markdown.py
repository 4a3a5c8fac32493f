"""The evidence of a run as Markdown."""

import re
from collections.abc import Iterable, Sequence

from cnnvis_report.errors import printable
from cnnvis_report.evidence import words
from cnnvis_report.evidence.method_checks import LOCALIZATION, amount, outcome
from cnnvis_report.records.evidence import Check, Evidence, MethodEvidence
from cnnvis_report.records.run import RunRecord

# what Markdown would read as its own; a bracket alone, or an underscore within a word, it leaves as it is
SPECIAL = re.compile(r"([\\`*<>|~&$]|^[#+-]+(?=\s|$)|^\d+(?=[.)]\s)|\](?=[(\[:])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
# where GitHub would call somebody, or make a link of an address or of an issue's number; a letter of no width ends that
CALLING = re.compile(r"(@|#(?=\d)|GH-(?=\d)|:(?=//)|\bwww(?=\.))", re.IGNORECASE)
HEADING = "# Evidence: "
JOINER = "\u2060"  # no width, and no line breaks at it


def markdown(evidence: Evidence, run: RunRecord) -> str:
    """What to use and what to avoid, the table behind it, and what it can't tell."""
    images = words.counted(evidence.images, "image")
    parts = [
        f"{HEADING}{plain(run.network.name)}",
        *([_list(evidence.text)] if evidence.text else []),
        f"## Methods ({images}, {evidence.confidence:.0%} intervals)",
        methods_table(evidence, run),
        "## Limits",
        _list(evidence.limits),
        f"Differences are to the mean of {words.counted(evidence.random_maps, 'random map')} of the same image; "
        f"intervals are bootstrapped over images ({evidence.resamples} resamples, seed {evidence.seed}).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """On one line, without anything that Markdown or GitHub would read as its own."""
    line = " ".join(printable(text, " ").split())
    return SPECIAL.sub(_escaped, CALLING.sub(rf"\1{JOINER}", line))


def _escaped(match: re.Match[str]) -> str:
    """The first letter behind a backslash; a number stays, and the point behind it is what begins a list."""
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)


def methods_table(evidence: Evidence, run: RunRecord) -> str:
    """A row for each method that stands for itself, those with the same maps named in it."""
    ranking, localization = evidence.faithfulness, evidence.localization
    head = ["Method", "Verdict"]
    if ranking:
        title = words.metric(run, ranking).title
        head += [f"{title} (n = {_images(evidence, ranking)})", f"{title}, above a random map", "Behind the best"]
    if localization:
        title = words.metric(run, localization).title
        head += [f"{title} (n = {_images(evidence, localization)})", f"{title}, above a random map"]
    head += ["Checks", "Passes per map"]
    lines = [head, ["---"] * len(head)]
    for method in evidence.methods:
        if not method.same_as:
            lines.append([plain(cell) for cell in _row(method, evidence, run)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(method: MethodEvidence, evidence: Evidence, run: RunRecord) -> Iterable[str]:
    label = words.label(method, evidence)
    twins = [words.label(twin, evidence) for twin in evidence.methods if twin.same_as == label]
    yield " = ".join(words.title(run, name) for name in (label, *twins))
    yield f"{words.standing(method, evidence)}{f': {method.not_applicable}' if method.not_applicable else ''}"
    if evidence.faithfulness:
        measured = method.measures.get(evidence.faithfulness)
        yield words.interval(measured.value if measured else None)
        yield words.difference(measured.difference if measured else None)
        yield words.interval(measured.behind if measured else None)
    if evidence.localization:
        measured = method.measures.get(evidence.localization)
        percent = words.metric(run, evidence.localization).percent
        yield words.interval(measured.value if measured else None, percent=percent)
        yield words.difference(measured.difference if measured else None, percent=percent)
    yield ", ".join(map(_check, method.checks))
    passes = (method.forward, method.backward)
    yield "" if None in passes else f"{passes[0]:g} + {passes[1]:g}"


def _images(evidence: Evidence, name: str) -> int:
    return next(measure.images for measure in evidence.measures if measure.name == name)


def _check(check: Check) -> str:
    """Such as "randomization failed: 0.83 [0.79, 0.86]"."""
    value = None if check.name == LOCALIZATION else check.value  # which has a column
    return f"{check.name} {outcome(check)}{f': {amount(check.name, value)}' if value else ''}"
