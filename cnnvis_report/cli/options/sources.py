"""Where a refused value stands, where nobody typed it: an environment variable, or a file of settings and its key."""

import os
import re
from collections.abc import Iterator

import click
from click.core import ParameterSource

from cnnvis_report.errors import LONGEST_VALUE, shown

# in a context's meta: file and key by the option's name; methods' options that a file has
KEYS = "keys"
TABLE = "options"


def with_source(message: str, ctx: click.Context) -> str:
    """The message, behind the variable or the file and key that the value came from, where it came from one."""
    for option in ctx.command.params:
        source = source_of(ctx, option)
        if source and _speaks_of(message, option, ctx):
            return f"{source}: {message}"
    return message


def source_of(ctx: click.Context, option: click.Parameter) -> str:
    """`VARIABLE=value`, or `FILE: key`; empty for what was typed or is a default."""
    source = ctx.get_parameter_source(option.name) if option.name else None
    if source is ParameterSource.ENVIRONMENT:
        value = os.environ.get(str(option.envvar), "")
        cut = value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 20]}… ({len(value)} characters)"
        return f"{option.envvar}={cut}"
    is_typed = source is ParameterSource.COMMANDLINE
    return "" if is_typed else str(ctx.meta.get(KEYS, {}).get(option.name, ""))


def name_of(ctx: click.Context, option: click.Parameter) -> str:
    """The variable with its value, or the file and its key, that an option's value came from; else the long option."""
    return source_of(ctx, option) or max(option.opts, key=len)


def _speaks_of(message: str, option: click.Parameter, ctx: click.Context) -> bool:
    """Whether a message begins with the option, or speaks of a name or a method that is among its values."""
    if any(re.match(rf"{re.escape(word)}(?![\w-])", message) for word in option.opts):
        return True
    if option.name == TABLE:
        methods = [*ctx.meta.get(TABLE, ()), *(text.partition(".")[0] for text in _names(ctx.params.get(TABLE)))]
        return any(re.search(rf" (of {re.escape(name)} |of this run is called {name!r})", message) for name in methods)
    return any(f" is called {shown(name)}." in message for name in _names(ctx.params.get(option.name or "")))


def _names(value: object) -> Iterator[str]:
    """Texts of a value, with commas or alone."""
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, str):
            yield from (name.strip() for name in text.split(","))
