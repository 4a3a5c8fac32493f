"""A method's description, which is a function's docstring, as those read it who call no function."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.records.methods import MethodInfo

SECTION = re.compile(r"(Args|Arguments|Returns|Raises):\s*")
ENTRY = re.compile(r"\*{0,2}(\w+)(?: \([^)]*\))?: (.*)", re.DOTALL)
SHAPE = re.compile(r"\[[^\]]*\](, (?=the\b)|[,:;]?\s*)")
NOT_APPLICABLE = "NotApplicable"


@dataclass(frozen=True)
class Definition:
    """What a method computes, in words.

    paragraphs: how it is computed, without the summary. options: what each option of the method means, by name. maps:
    size and unit of its maps; empty where it says none. not_applicable: on which networks there are none, as a clause;
    empty where there always are.
    """

    paragraphs: tuple[str, ...]
    options: dict[str, str]
    maps: str
    not_applicable: str


def definition(method: MethodInfo) -> Definition:
    """Read a method's description, without what is of a call in Python alone: shapes, other arguments, mistakes."""
    paragraphs, sections = _parts(method.text.partition("\n\n")[2])
    refusals = dict(_entries(sections.get("Raises", ())))
    return Definition(
        paragraphs=tuple(paragraphs),
        options={
            name: text
            for name, text in _entries([*sections.get("Args", ()), *sections.get("Arguments", ())])
            if name in method.options
        },
        maps=_ended(SHAPE.sub("", _joined(sections.get("Returns", ())), count=1)),
        not_applicable=_ended(refusals.get(NOT_APPLICABLE, "")),
    )


def _parts(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """Paragraphs with their lines joined, and the indented lines of each section by its heading."""
    paragraphs: list[list[str]] = [[]]
    sections: dict[str, list[str]] = {}
    section: list[str] | None = None
    for line in text.splitlines():
        heading = SECTION.fullmatch(line)
        if heading:
            section = sections.setdefault(heading[1], [])
        elif section is not None and (not line or line[0].isspace()):
            section.append(line)
        elif line.strip():
            section = None
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    return [_joined(lines) for lines in paragraphs if lines], sections


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and text of what a section lists; a line that is indented further goes on with the one before."""
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    entries: list[list[str]] = []
    for line in filter(str.strip, lines):
        if len(line) - len(line.lstrip()) == min(indents) or not entries:
            entries.append([line])
        else:
            entries[-1].append(line)
    for entry in entries:
        match = ENTRY.fullmatch(_joined(entry))
        if match:
            yield match[1], _ended(match[2])


def _joined(lines: Sequence[str]) -> str:
    return " ".join(filter(None, map(str.strip, lines)))


def _ended(text: str) -> str:
    """As a part of a line, which needs no full stop."""
    return text.strip().removesuffix(".")
