"""Options that do nothing without another one, such as those of a report where none is written."""

import click
from click.core import ParameterSource

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.errors import BadRequest

OTHERWISE = (ParameterSource.DEFAULT, ParameterSource.ENVIRONMENT)  # where a value may come from that nobody gave here


def refuse_without(other: str) -> None:
    """Refuse what is set of the options that do nothing without another one, where that one is missing.

    A variable doesn't count: it is set for all commands, and so for those that read it.

    Args:
        other: the name of that parameter.

    Raises:
        BadRequest: naming all that is set, by the file and key where it stands there.
    """
    ctx = click.get_current_context()
    if ctx.params[other] is not None:
        return
    names = [
        name_of(ctx, option)
        for option in ctx.command.params
        if isinstance(option, GroupedOption) and option.needs == other and option.name
        if ctx.params[option.name] and ctx.get_parameter_source(option.name) not in OTHERWISE
    ]
    if names:
        needed = next(option for option in ctx.command.params if option.name == other)
        listed = f"{', '.join(names[:-1])} and {names[-1]} do" if names[1:] else f"{names[0]} does"
        word = needed.opts[0]
        raise BadRequest(f"{listed} nothing without {word}: give {word} {needed.metavar}, too.")
