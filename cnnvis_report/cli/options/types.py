"""Kinds of settings as click's types."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from cnnvis_report.cli.options.completion import complete
from cnnvis_report.errors import BadRequest
from cnnvis_report.settings.kinds import Choice, File, FileName, Kind


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
