"""Which options count, of those that do nothing without another one, or of which one chooses the other's value."""

from collections.abc import Mapping, Sequence

import click
from click.core import ParameterSource

from cnnvis_report.cli.help import GroupedOption
from cnnvis_report.cli.options.sources import name_of
from cnnvis_report.errors import BadRequest, UnusedOption
from cnnvis_report.settings import SettingInfo, does_nothing

OTHERWISE = (ParameterSource.DEFAULT, ParameterSource.ENVIRONMENT)  # where a value may come from that nobody gave here
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
                line = f"{_name(ctx, stronger.name)} counts; {_name(ctx, weaker.name)} isn't used"
                ctx.meta.setdefault(NOT_USED, []).append(f"{other.name.capitalize():<10}{line}")
    return values


def _precedence(ctx: click.Context, info: SettingInfo) -> int:
    source = ctx.get_parameter_source(info.name)
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)


def _name(ctx: click.Context, name: str) -> str:
    """Of the source of a parameter: the variable with its value, the file and its key, or the option."""
    return name_of(ctx, next(option for option in ctx.command.params if option.name == name))


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
    ctx.meta.setdefault(NOT_USED, []).append(f"Unused    {_name(ctx, unused[0])}: {error.reason}")
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
