"""Options of methods as one setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.methods import Option
from cnnvis_report.settings.kinds import Kind, Text


@dataclass(frozen=True)
class MethodOptions(Kind):
    """Options of methods: METHOD.NAME=VALUE, or a table of tables."""

    def parse(self, value: object) -> dict[str, dict[str, Option]]:
        """Method to option to value."""
        if isinstance(value, Mapping):
            return _table(value)
        if not isinstance(value, Sequence):
            raise self.refusal(value, "METHOD.NAME=VALUE")
        options: dict[str, dict[str, Option]] = {}
        for entry in [value] if isinstance(value, str) else value:
            text = Text().parse(entry)
            path, equals, content = text.partition("=")
            method, dot, name = path.strip().rpartition(".")
            if not (equals and dot and method and name):
                raise BadRequest(f"{shown(text)}: give METHOD.NAME=VALUE, such as smoothgrad.n=50.")
            options.setdefault(method.replace("-", "_"), {})[name] = content.strip()
        return options


def _table(table: Mapping[object, object]) -> dict[str, dict[str, Option]]:
    options: dict[str, dict[str, Option]] = {}
    for method, values in table.items():
        if not isinstance(values, Mapping):
            raise BadRequest(f"options.{method} is {shown(values)}; give a table, NAME = VALUE.")
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise BadRequest(
                    f"options.{method}.{name} is {shown(value)}; it takes a text, a number, or true or false."
                )
            options.setdefault(str(method).replace("-", "_"), {})[str(name)] = value
    return options
