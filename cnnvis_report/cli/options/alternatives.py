"""Two options of which one chooses the other's value: which of them counts, where both are there."""

from collections.abc import Sequence

import click
from click.core import ParameterSource

from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.settings import SettingInfo

NOT_USED = "not used"  # in a context's meta: lines for the terminal
PRECEDENCE = [ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, ParameterSource.ENVIRONMENT]  # then what is typed


def given_of(infos: Sequence[SettingInfo], values: dict[str, object]) -> dict[str, object]:
    """The values without a default or a weaker source beside an option that chooses the value.

    What is typed goes over an environment variable, and that over a file; the terminal is to say what isn't used. Two
    of the same source both stay, to be refused.
    """
    ctx = click.get_current_context()
    known = {info.name: info for info in infos}
    for info in infos:
        other = known.get(info.instead_of)
        if other is None or values[info.name] is None:
            continue
        weaker, stronger = sorted((info, other), key=lambda entry: _precedence(ctx, entry))
        if _precedence(ctx, weaker) < _precedence(ctx, stronger):
            values = {name: value for name, value in values.items() if name != weaker.name}
            if _precedence(ctx, weaker):
                line = f"{other.name.capitalize():<10}{_name(ctx, stronger)} counts; {_name(ctx, weaker)} isn't used"
                ctx.meta.setdefault(NOT_USED, []).append(line)
    return values


def _precedence(ctx: click.Context, info: SettingInfo) -> int:
    source = ctx.get_parameter_source(info.name)
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)


def _name(ctx: click.Context, info: SettingInfo) -> str:
    """Of the source: the variable with its value, the file and its key, or the option."""
    option = next(option for option in ctx.command.params if option.name == info.name)
    return name_of(ctx, option)
