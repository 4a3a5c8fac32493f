"""The tables in these pages that repeat what the code says: `python docs/tables.py` writes them again.

Each stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; tests/test_docs.py compares them with the code.
"""

import re
import sys
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from cnnvis_report.cli.help import NOTES
from cnnvis_report.data.ways import image_ways
from cnnvis_report.evaluation.metric import Metric, metrics
from cnnvis_report.evidence.families import by_family
from cnnvis_report.methods.registry import methods
from cnnvis_report.models.loader import loaders
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.pipeline.stages import data_randomization, max_sensitivity, random_logit, randomization
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import EFFORTS
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from cnnvis_report.records.run import RunRecord
from cnnvis_report.rules.names import CHANGES, RUN_VALUES
from cnnvis_report.settings import Group, SettingInfo, settings_of
from cnnvis_report.settings.kinds import Choice
from cnnvis_report.training.config import TrainConfig

DOCS = Path(__file__).parent
WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null"}


def rows(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in line] for line in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def methods_table() -> str:
    """Every method of the registry, by family and year."""
    entries = by_family([entry.info for entry in methods()])
    body = [[f"`{info.name}`", info.summary, f"{info.kind}, {info.sign}", info.preset, info.source] for info in entries]
    return rows(["name", "what it shows", "map", "set", "source"], body)


def effort_options_table() -> str:
    """Every option of a method that an effort sets."""
    body = [
        [f"`{entry.name}`", f"`{option}`", *(in_words(entry.options_at(effort, {})[option]) for effort in EFFORTS)]
        for entry in methods()
        for option in entry.info.options
        if any(option in options for options in entry.effort.values())
    ]
    return rows(["method", "option", *(f"`{effort}`" for effort in EFFORTS)], body)


def metrics_table() -> str:
    """Every metric of maps, by what it is about."""
    kinds = list(MetricKind)
    entries = sorted(
        ((info, entry) for entry in metrics() for info in entry.infos), key=lambda pair: kinds.index(pair[0].kind)
    )
    body = [
        [*metric_row(info)[:4], "`quick`, `full`" if info.name in entry.quick else "`full`", passes(entry), info.source]
        for info, entry in entries
    ]
    return rows(["name", "what a value is", "better", "about", "measured with", "forward passes", "source"], body)


def passes(entry: Metric) -> str:
    """Forward passes for J maps of an image, with the full budget."""
    if entry.passes is None:
        return "none"
    effort = replace(BUDGETS["full"].effort, random_maps=0)  # J counts all maps
    one, two = (entry.passes(effort, maps) for maps in (1, 2))
    if one == two:
        return str(one)
    each = "J" if two - one == 1 else f"{two - one} J"
    once = f" + {2 * one - two}" if 2 * one > two else ""
    return f"{each}{once}" + (" for all of them" if len(entry.infos) > 1 else "")


def map_tests_table() -> str:
    """Every test of maps that explains images again."""
    infos = (randomization.TEST, *random_logit.TESTS, *data_randomization.TESTS, *max_sensitivity.TESTS)
    return rows(["name", "what a value is", "better", "about", "source"], [metric_row(info) for info in infos])


def metric_row(info: MetricInfo) -> list[str]:
    """A metric's name, description, direction, kind and source."""
    better = "higher" if info.higher_is_better else "lower"
    return [f"`{info.name}`", f"**{info.title}**: {info.description}", better, info.kind, info.source]


def ways_table() -> str:
    """Every way of holding a network, by the loader that opens it."""
    body = [
        [way.held_as, f"`{way.command}`", f"`{entry.install}`" if entry.install else "", way.checked]
        for entry in loaders()
        for way in entry.ways
    ]
    return rows(["you have", "MODEL and options", "pip install", "what is checked"], body)


def rule_values_table() -> str:
    """Every number that a rule can read: of a run, and of a comparison."""
    alone, beside = "`run`, `train`, `render`", "`compare`, `run --against`"
    kinds = [(info, f"{alone}, `compare`" if info.compared else alone) for info in RUN_VALUES]
    return rows(
        ["in a rule", "what it is", "with"],
        [
            [" or ".join(f"`{name}`" for name in info.labels), info.meaning, commands]
            for info, commands in [*kinds, *((info, beside) for info in CHANGES)]
        ],
    )


def image_ways_table() -> str:
    """Every way of holding images, by what opens it."""
    body = [
        [way.held_as, f"`{way.command}`", f"`{install}`" if install else "", way.labels]
        for way, install in image_ways()
    ]
    return rows(["you have", "IMAGES and options", "pip install", "labels and masks"], body)


def exit_codes_table() -> str:
    """What a shell gets, as every command's help has it."""
    return rows(["code", "when"], dict(NOTES)["Exit status"])


def run_settings() -> str:
    """The settings of a run."""
    return settings_tables(RunConfig)


def train_settings() -> str:
    """The settings of a training."""
    return settings_tables(TrainConfig)


def settings_tables(config: type) -> str:
    """The settings of a configuration under the headings of `--help`; arguments have no option."""
    infos = [info for info in settings_of(config) if not info.argument]
    groups = {group: [info for info in infos if info.group is group] for group in Group}
    return "\n\n".join(
        f"### {group.value}\n\n{rows(['option', 'default', 'what it does'], map(setting_row, members))}"
        for group, members in groups.items()
        if members
    )


def setting_row(info: SettingInfo) -> list[str]:
    """A setting's option, default and help."""
    words = " | ".join(info.kind.words) if isinstance(info.kind, Choice) else info.metavar
    option = f"`--{info.key}`{f', `{info.short}`' if info.short else ''}{f' {words}' if words else ''}"
    default = info.default_text or ("auto" if "auto" in info.metavar else in_words(info.default))
    return [option, default, info.help]


def in_words(default: object) -> str:
    """A default as a user would give it."""
    if default is None or default is False or default in ((), {}):
        return ""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def record_tables() -> str:
    """Every record of a run folder, field by field, as its docstring has it."""
    return "\n\n".join(record_table(record) for record in reachable(RunRecord, ImageRecord))


def record_table(record: type) -> str:
    """What a record is, and its fields."""
    text, described = documented(record)
    named = typing.get_type_hints(record)
    body = [[f"`{field.name}`", type_in_words(named[field.name]), described[field.name]] for field in fields(record)]
    return f"### {record.__name__}\n\n{text}\n\n{rows(['field', 'type', 'what it holds'], body)}"


def documented(record: type) -> tuple[str, dict[str, str]]:
    """The first paragraph of a record's docstring, and what it says of each field: a line `name: text` each.

    Raises:
        KeyError: it says nothing of a field.
    """
    text = getdoc(record) or ""
    lines = re.findall(r"^(\w+): (.*(?:\n[ \t]+.*)*)", text, re.MULTILINE)
    found = {name: " ".join(line.split()).replace("None", "null") for name, line in lines}
    missing = [field.name for field in fields(record) if field.name not in found]
    if missing:
        raise KeyError(f"the docstring of {record.__name__} says nothing of {', '.join(missing)}")
    return " ".join(text.split("\n\n")[0].split()), found


def reachable(*tops: type) -> list[type]:
    """Records and all that their fields hold, each once and in order."""
    found: list[type] = []
    waiting = list(tops)
    while waiting:
        record = waiting.pop(0)
        if record not in found:
            found.append(record)
            hints = typing.get_type_hints(record)
            waiting[:0] = [inner for field in fields(record) for inner in records_in(hints[field.name])]
    return found


def records_in(kind: Any) -> list[type]:
    """The records that a type is made of."""
    if isinstance(kind, type) and is_dataclass(kind):
        return [kind]
    return [record for part in typing.get_args(kind) for record in records_in(part)]


def type_in_words(kind: Any) -> str:
    """A type as a reader of JSON needs it, records with a link to their table."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        words = [type_in_words(part) for part in parts]
        return "any" if "any" in words else " or ".join(words)
    if origin is tuple:
        inner = [type_in_words(part) for part in parts if part is not Ellipsis]
        return f"list of {inner[0]}" if Ellipsis in parts else f"[{', '.join(inner)}]"
    if origin is dict:
        return f"object of {type_in_words(parts[1])}"
    if isinstance(kind, type) and is_dataclass(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f'"{member.value}"' for member in kind)
    return WORDS.get(kind, "any")


TABLES: dict[str, Callable[[], str]] = {
    "methods": methods_table,
    "effort-options": effort_options_table,
    "metrics": metrics_table,
    "map-tests": map_tests_table,
    "ways": ways_table,
    "image-ways": image_ways_table,
    "exit-codes": exit_codes_table,
    "rule-values": rule_values_table,
    "run-settings": run_settings,
    "train-settings": train_settings,
    "run-folder": record_tables,
}


def filled(text: str) -> str:
    """A page with its tables as the code has them now."""
    for name, table in TABLES.items():
        marked = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        text = marked.sub(lambda found, table=table: f"{found[1]}{table()}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"Wrote {page.name}", file=sys.stderr)
