"""Options that do nothing without another one, such as those of a report where none is written."""

from collections.abc import Mapping, Sequence

import click
from click.core import ParameterSource

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.errors import BadRequest
from cnnvis_report.settings import SettingInfo, does_nothing

OTHERWISE = (ParameterSource.DEFAULT, ParameterSource.ENVIRONMENT)  # where a value may come from that nobody gave here


def from_variable(name: str) -> bool:
    """Whether the value of a parameter of the running command comes from a variable."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.ENVIRONMENT


def without_idle_variables(infos: Sequence[SettingInfo], values: Mapping[str, object]) -> dict[str, object]:
    """The values without those of variables that do nothing here, as the settings that they go with have defaults.

    A variable is set for all commands, and so for those where it does something; what is typed or stands in a file
    stays, to be refused.
    """
    known = {info.name: info for info in infos}
    idle = {info.name for info in infos if from_variable(info.name) and does_nothing(info, known, values)}
    return {name: value for name, value in values.items() if name not in idle}


def refuse_without(other: str) -> bool:
    """Whether another option is missing, without which some do nothing; refuse what is set of these then.

    A variable doesn't count: it is set for all commands, and so for those that read it.

    Args:
        other: the name of that parameter.

    Raises:
        BadRequest: naming all that is set, by the file and key where it stands there.
    """
    ctx = click.get_current_context()
    if ctx.params[other] is not None:
        return False
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
    return True
