"""Options that do nothing without another one, such as those of a report where none is written."""

from collections.abc import Mapping, Sequence

import click
from click.core import ParameterSource

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.options.alternatives import NOT_USED
from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.errors import BadRequest, UnusedOption
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


def without_unused(
    infos: Sequence[SettingInfo], values: Mapping[str, object], error: UnusedOption
) -> dict[str, object]:
    """The values without the one that the network or the images have no use for; the terminal is to say so.

    Raises:
        UnusedOption: no variable has it, as somebody has given it here; or variables have both of two.
    """
    ctx = click.get_current_context()
    options = (error.option, error.beside)
    unused = [info.name for info in infos if f"--{info.key}" in options and from_variable(info.name)]
    if len(unused) != 1 or unused[0] not in values:
        raise error
    option = next(option for option in ctx.command.params if option.name == unused[0])
    ctx.meta.setdefault(NOT_USED, []).append(f"Unused    {name_of(ctx, option)}: {error.reason}")
    return {name: value for name, value in values.items() if name != unused[0]}


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
