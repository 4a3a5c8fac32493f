"""Options that do nothing without another one, such as those of a report where none is written."""

import click
from click.core import ParameterSource

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.errors import BadRequest


def refuse_without(other: str, *, environment: bool = True) -> None:
    """Refuse what is set of the options that do nothing without another one, where that one is missing.

    Args:
        other: the name of that parameter. environment: whether a variable counts, which may be meant for other
            commands.

    Raises:
        BadRequest: naming all that is set, by the variable or the file and key where it stands there.
    """
    ctx = click.get_current_context()
    if ctx.params[other] is not None:
        return
    unread = (ParameterSource.DEFAULT, *(() if environment else (ParameterSource.ENVIRONMENT,)))
    names = [
        name_of(ctx, option)
        for option in ctx.command.params
        if isinstance(option, GroupedOption) and option.needs == other and option.name
        if ctx.params[option.name] and ctx.get_parameter_source(option.name) not in unread
    ]
    if names:
        needed = next(option for option in ctx.command.params if option.name == other)
        listed = f"{', '.join(names[:-1])} and {names[-1]} do" if names[1:] else f"{names[0]} does"
        word = needed.opts[0]
        raise BadRequest(f"{listed} nothing without {word}: give {word} {needed.metavar}, too.")
