"""Click's options and arguments from the fields of configurations, and the configurations from what was typed."""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from cnnvis_report.cli.help import DescribedArgument, GroupedOption
from cnnvis_report.cli.options.config_file import read_config
from cnnvis_report.cli.options.dependent import given_of, refuse_without, without_idle_variables, without_unused
from cnnvis_report.cli.options.sources import TABLE
from cnnvis_report.cli.options.types import SettingType
from cnnvis_report.cli.terminal.json_line import JSON
from cnnvis_report.errors import BadRequest, UnusedOption
from cnnvis_report.settings import Group, SettingInfo, build, settings_of
from cnnvis_report.settings.kinds import File, Flag, Integer, Kind, Several, Text
from cnnvis_report.settings.text_kinds import MethodOptions

PREFIX = "CNNVIS_REPORT_"  # of environment variables

Function = TypeVar("Function", bound=Callable[..., Any])


def option(
    *names: str, group: Group = Group.GENERAL, kind: Kind | None = None, completes: str = "", **more: Any
) -> Callable[[Function], Function]:
    """An option of a single command, listed under a heading; help shows its default.

    Args:
        kind: what it takes; a flag takes nothing. completes: what the shell offers, as a setting says it.
    """
    typed = {"is_flag": True} if kind is None else {"type": SettingType(kind, completes)}
    return click.option(
        *names, cls=GroupedOption, group=group, show_default=more.get("default", "") != "", **typed, **more
    )


def argument(
    name: str, *, kind: Kind, metavar: str, description: str, completes: str = "", **more: Any
) -> Callable[[Function], Function]:
    """An argument of a single command; `more` is click's."""
    typed = SettingType(kind, completes)
    return click.argument(name, cls=DescribedArgument, type=typed, metavar=metavar, description=description, **more)


CONFIG = option(
    "--config",
    kind=File(),
    is_eager=True,
    expose_value=False,
    callback=read_config,
    metavar="FILE.toml",
    help="Read settings from a TOML file: option names as keys, and a table [options.METHOD] for each method.",
)


def configured(
    config: type,
    *,
    only: Collection[str] = (),
    without: Collection[str] = (),
    changes: Mapping[str, Mapping[str, object]] | None = None,
    fixed: Mapping[str, object] | None = None,
    optional: Collection[str] = (),
    needs: str = "",
    prefix: str = PREFIX,
) -> Callable[[Function], Function]:
    """Give a command the options of a configuration, and call it with the configuration that was typed.

    Args:
        only: names of settings; all where there are none. without: settings that the command leaves at their defaults.
        changes: what the command says otherwise of settings, such as their defaults. fixed: what the command sets by
        itself. optional: arguments that may be missing. needs: the parameter without which these options do nothing, as
        `refuse_without` checks. prefix: of environment variables.
    """
    fixed = fixed or {}
    shown = [
        info for info in settings_of(config) if (not only or info.name in only) and info.name not in {*without, *fixed}
    ]
    infos = [replace(info, **(changes or {}).get(info.name, {})) for info in shown]  # type: ignore[arg-type] # its fields

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def command(*configs: object, **options: Any) -> Any:
            is_idle = bool(needs) and refuse_without(needs)
            values = {info.name: _typed(info, options.pop(info.name)) for info in infos}
            if values.get("verbose"):
                click.get_current_context().meta["verbose"] = True
            if values.get("log_format") == "json":
                click.get_current_context().meta[JSON] = True
            values = {} if is_idle else without_idle_variables(infos, given_of(infos, values))
            while True:
                try:
                    return function(*configs, build(config, {**values, **fixed}), **options)
                except UnusedOption as error:
                    values = without_unused(infos, values, error)
                    click.get_current_context().close()  # what the first attempt holds, such as the folder's lock

        for info, elsewhere in zip(reversed(infos), reversed(shown), strict=True):
            is_optional = info.name in optional
            parameter = _argument(info, is_optional) if info.argument else _option(info, elsewhere.kind, prefix, needs)
            command = parameter(command)
        return command  # type: ignore[return-value] # what click calls

    return decorate


def _argument(info: SettingInfo, optional: bool) -> Callable[[Function], Function]:
    several = isinstance(info.kind, Several)
    kind = info.kind.of if isinstance(info.kind, Several) else info.kind
    metavar = f"[{info.name.upper()}]" if optional else info.name.upper()
    return click.argument(
        info.name,
        cls=DescribedArgument,
        description=info.help,
        type=SettingType(kind, info.completes),
        nargs=-1 if several else 1,
        required=not optional,
        metavar=f"{metavar}{'...' if several else ''}",
    )


def _option(info: SettingInfo, elsewhere: Kind, prefix: str, needs: str) -> Callable[[Function], Function]:
    kind = info.kind.of if isinstance(info.kind, Several) else info.kind
    repeated = isinstance(info.kind, Several | MethodOptions)
    default_text = "auto" if isinstance(kind, Integer) and kind.auto else info.default_text
    arguments: dict[str, Any] = {"is_flag": True} if isinstance(kind, Flag) else {"metavar": info.metavar or None}
    if not isinstance(kind, Flag):
        typed = Text() if isinstance(kind, MethodOptions) else kind
        arguments |= {"type": SettingType(typed, info.completes), "multiple": repeated}
        arguments["default"] = None if repeated else info.default
        arguments["show_default"] = info.default is not None and not repeated
    return click.option(
        *([info.short] if info.short else []),
        f"--{info.key}",
        info.name,
        cls=GroupedOption,
        group=info.group,
        needs=needs,
        applies=None if info.kind == elsewhere else lambda text: info.kind.takes(text) or not elsewhere.takes(text),
        help=f"{info.help}  [default: {default_text}]" if default_text else info.help,
        envvar=prefix + info.variable,
        **arguments,
    )


def _typed(info: SettingInfo, value: object) -> object:
    """What click has made of an option; options of methods go over those of a settings file."""
    if not isinstance(info.kind, MethodOptions):
        return value
    table = click.get_current_context().meta.get(TABLE, {})
    merged = {method: dict(options) for method, options in info.kind.parse(table).items()}
    try:
        typed = info.kind.parse(value)
    except BadRequest as error:
        raise BadRequest(f"--{info.key} {error}") from error
    for method, options in typed.items():
        merged.setdefault(method, {}).update(options)
    return merged
