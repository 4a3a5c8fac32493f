"""Tables for the terminal, and JSON for programs: methods, without torch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from textwrap import fill

from cnnvis_report.errors import UnknownName
from cnnvis_report.methods.catalog import catalog
from cnnvis_report.methods.registry import Method
from cnnvis_report.methods.selection import select
from cnnvis_report.records.methods import EFFORTS
from cnnvis_report.report.views.methods.definition import definition

WIDTH = 110  # of a description, in characters
LEFT_OUT = ("notes", "prominence")  # of what programs get: how pages word and order things


def methods_table(reasons: Mapping[str, str] | None = None) -> str:
    """Every method: name, the smallest set it is in, source, and what it shows.

    Args:
        reasons: why a method isn't applicable to a network, by name; without it, nothing is said of that.
    """
    rows = [("NAME", "SET", "SOURCE", "WHAT IT SHOWS" if reasons is None else "APPLICABLE")]
    for info in (entry.info for entry in catalog()):
        last = (
            info.summary
            if reasons is None
            else f"not applicable: {reasons[info.name]}"
            if info.name in reasons
            else "yes"
        )
        rows.append((info.name, info.preset, info.source, last))
    return table(rows)


def methods_json(methods: Iterable[Method], reasons: Mapping[str, str] | None = None) -> str:
    """Methods as a list of objects; arguments as of `methods_table`."""
    objects = []
    for method in methods:
        facts = {name: value for name, value in asdict(method.info).items() if name not in LEFT_OUT}
        facts["options_by_effort"] = {effort: method.options_at(effort, {}) for effort in EFFORTS}
        if reasons is not None:
            facts |= {"applicable": method.name not in reasons, "reason": reasons.get(method.name)}
        objects.append(facts)
    return as_json(objects)


def method_called(name: str) -> Method:
    """The method of that name, or somebody's own as package.module:function.

    Raises:
        UnknownName: there is none of that name.
    """
    known = {method.name: method for method in catalog()}
    plain = name.replace("-", "_")
    if plain in known:
        return known[plain]
    if ":" not in name:
        raise UnknownName("method", name, known)
    return select([name])[0]


def method_details(method: Method) -> str:
    """All about one method."""
    info, defined = method.info, definition(method.info)
    facts = [
        ("title", info.title),
        ("family", info.family),
        ("source", info.source),
        ("kind", f"{info.kind.value}, {info.sign.value}"),
        *([("maps", defined.maps)] if defined.maps else []),
        *([("not applicable", f"where {defined.not_applicable}")] if defined.not_applicable else []),
        ("set", info.preset),
    ]
    options = [
        (f"-O {info.name}.{option}=", option_by_effort(method, option), defined.options.get(option, ""))
        for option in info.options
    ]
    text = "\n\n".join(
        fill(paragraph, WIDTH, break_on_hyphens=False) for paragraph in (info.summary, *defined.paragraphs)
    )
    return "\n\n".join([info.name, text, table(facts), *([table(options)] if options else [])])


def option_by_effort(method: Method, option: str) -> str:
    """An option's default, and what it is at efforts that have another, such as "25 (5 at low, 16 at medium)"."""
    default = method.info.options[option]
    values = {effort: method.options_at(effort, {})[option] for effort in EFFORTS}
    others = [f"{value!r} at {effort}" for effort, value in values.items() if value != default]
    return f"{default!r} ({', '.join(others)})" if others else repr(default)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows in columns as wide as their widest cells."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_json(content: object) -> str:
    """JSON that a person can read too."""
    return json.dumps(content, indent=2, ensure_ascii=False)
