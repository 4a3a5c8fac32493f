"""Tables for the terminal, and JSON for programs: methods, without torch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from cnnvis_report.errors import UnknownName
from cnnvis_report.methods.catalog import catalog
from cnnvis_report.records.methods import MethodInfo

LEFT_OUT = ("notes", "prominence")  # of what programs get: how pages word and order things


def methods_table(reasons: Mapping[str, str] | None = None) -> str:
    """Every method: name, the smallest set it is in, source, and what it shows.

    Args:
        reasons: why a method isn't applicable to a network, by name; without it, nothing is said of that.
    """
    rows = [("NAME", "SET", "SOURCE", "WHAT IT SHOWS" if reasons is None else "APPLICABLE")]
    for info in catalog():
        last = (
            info.summary
            if reasons is None
            else f"not applicable: {reasons[info.name]}"
            if info.name in reasons
            else "yes"
        )
        rows.append((info.name, info.preset, info.source, last))
    return table(rows)


def methods_json(infos: Iterable[MethodInfo], reasons: Mapping[str, str] | None = None) -> str:
    """Methods as a list of objects; arguments as of `methods_table`."""
    entries = []
    for info in infos:
        entry = {name: value for name, value in asdict(info).items() if name not in LEFT_OUT}
        if reasons is not None:
            entry |= {"applicable": info.name not in reasons, "reason": reasons.get(info.name)}
        entries.append(entry)
    return as_json(entries)


def method_info(name: str) -> MethodInfo:
    """The method of that name, or somebody's own as package.module:function.

    Raises:
        UnknownName: there is none of that name.
    """
    infos = {info.name: info for info in catalog()}
    plain = name.replace("-", "_")
    if plain in infos:
        return infos[plain]
    if ":" not in name:
        raise UnknownName("method", name, infos)
    from cnnvis_report.methods.registry import select

    return select([name])[0].info


def method_details(info: MethodInfo) -> str:
    """All about one method."""
    facts = [
        ("title", info.title),
        ("family", info.family),
        ("source", info.source),
        ("kind", f"{info.kind.value}, {info.sign.value}"),
        ("set", info.preset),
        *((f"option {option}", repr(value)) for option, value in info.options.items()),
    ]
    return f"{info.name}\n\n{info.text}\n\n{table(facts)}"


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows in columns as wide as their widest cells."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_json(content: object) -> str:
    """JSON that a person can read too."""
    return json.dumps(content, indent=2, ensure_ascii=False)
