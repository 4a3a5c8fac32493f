"""Kinds of settings as click's types, and what the shell completes: names without torch, but for a network's layers."""

from collections.abc import Callable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.known_networks.network_names import network_lines
from cnnvis_report.settings.kinds import Choice, File, FileName, Kind


def complete(names: str, params: Mapping[str, Any], incomplete: str) -> list[str]:
    """Names that begin like the text; after a comma, those of the part behind it.

    Args:
        names: "methods", "models", "layers", "methods of run" or "images of run". params: what was typed before, by
        parameter.
    """
    known = NAMES.get(names)
    if known is None:
        return []
    several = names == "methods" or names.endswith(" of run")
    before, comma, last = incomplete.rpartition(",") if several else ("", "", incomplete)
    try:
        return [f"{before}{comma}{name}" for name in known(params) if name.startswith(last)]
    except Exception:  # nothing may be said on a command line that is being typed
        return []


def _methods(_: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.methods.catalog import catalog
    from cnnvis_report.methods.selection import PRESETS

    return [*PRESETS, *(method.name for method in catalog())]


def _models(_: Mapping[str, Any]) -> list[str]:
    return sorted({name for _, _, names in network_lines() for name in names if "/" not in name})


def _layers(params: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.cli.terminal.network_tables import layer_names

    return layer_names(str(params["model"]), params.get("weights"))


def _methods_of_run(params: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.store.run_folder import load_run

    return [method.name for method in load_run(params["runs"][0]).record.applicable]


def _images_of_run(params: Mapping[str, Any]) -> list[str]:
    from cnnvis_report.store.run_folder import load_run

    return [image.name for image in load_run(params["runs"][0]).images()]


NAMES: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "methods": _methods,
    "models": _models,
    "layers": _layers,
    "methods of run": _methods_of_run,
    "images of run": _images_of_run,
}


class SettingType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click alone
    """What a setting takes, in one short line where a value isn't that.

    Args:
        names: what is completed, as `complete` knows it; empty for nothing, or files where those are taken.
    """

    def __init__(self, kind: Kind, names: str = "") -> None:
        self.kind, self.names = kind, names
        self.name = kind.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value as the program uses it."""
        try:
            return self.kind.parse(value)
        except BadRequest as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """The words of a choice."""
        return f"[{'|'.join(self.kind.words)}]" if isinstance(self.kind, Choice) else None

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What may follow: words, names, or files."""
        if isinstance(self.kind, Choice):
            return [CompletionItem(word) for word in self.kind.words if word.startswith(incomplete)]
        items = [CompletionItem(name) for name in complete(self.names, ctx.params, incomplete)]
        if isinstance(self.kind, File | FileName):
            items.append(CompletionItem(incomplete, type="file"))
        return items
