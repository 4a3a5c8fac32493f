"""Settings from a TOML file: the long options' names as keys, checked as the options themselves are."""

import tomllib
from pathlib import Path
from typing import Any

import click

from cnnvis_report.cli.options.sources import KEYS, TABLE
from cnnvis_report.errors import BadRequest, UnknownName, brief, shown
from cnnvis_report.records.methods import Option
from cnnvis_report.settings.text_kinds import MethodOptions

LARGEST = 1 << 20  # bytes; a file of settings has some hundred
UNSET = ("config", TABLE)  # options that no key stands for


def read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Take the settings of a TOML file as defaults: keys are the long options' names, `options` a table by method.

    Raises:
        BadRequest, UnknownName: the file can't be read, or has a key that is no option, or a value that it can't take.
    """
    if path is None:
        return None
    known = {
        name.removeprefix("--"): option
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name not in UNSET
        for name in option.opts
        if name.startswith("--")
    }
    table = any(option.name == TABLE for option in ctx.command.params)
    defaults: dict[str, Any] = {}
    for key, value in _content(path).items():
        option = known.get(key.replace("_", "-"))
        if key == TABLE and table:
            ctx.meta[TABLE] = _methods(path, value)
            ctx.meta.setdefault(KEYS, {})[TABLE] = f"{path}: {TABLE}"
        elif option is None or option.name is None:
            raise UnknownName(f"setting in {path.name}", key, sorted([*known, *([TABLE] if table else [])]))
        elif option.name in defaults:
            raise BadRequest(f"{path}: {shown(key)} is there twice, with - and with _.")
        else:
            defaults[option.name] = _checked(ctx, path, key, option, value)
            ctx.meta.setdefault(KEYS, {})[option.name] = f"{path}: {key}"
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise BadRequest(f"{path}: is {'a folder' if path.is_dir() else 'no regular file'}; give a TOML file.")
        if path.is_file() and path.stat().st_size > LARGEST:
            raise BadRequest(f"{path}: can't be read as TOML (more than {LARGEST >> 20} MB).")
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise BadRequest(f"{path}: can't be read as TOML ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}: can't be read as TOML (it isn't text in UTF-8).") from error
    except RecursionError as error:
        raise BadRequest(f"{path}: can't be read as TOML (lists or tables within each other, too deep).") from error
    except ValueError as error:  # numbers of thousands of digits too
        raise BadRequest(f"{path}: can't be read as TOML ({brief(error)}).") from error


def _checked(ctx: click.Context, path: Path, key: str, option: click.Option, value: Any) -> Any:
    """The value, once the option takes it; a single one stands for a list of one."""
    if option.is_flag and not isinstance(value, bool):
        raise BadRequest(f"{path}: {key} is {shown(value)}; it takes true or false.")
    value = [value] if option.multiple and not isinstance(value, list) else value
    try:
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise BadRequest(f"{path}: {key}: {error.message}") from error
    return value


def _methods(path: Path, content: object) -> dict[str, dict[str, Option]]:
    """The table of methods' options.

    Raises:
        BadRequest: it is none, or holds something else than texts, numbers and truth values.
    """
    if not isinstance(content, dict):
        raise BadRequest(f"{path}: {TABLE} is {shown(content)}; give a table for each method, [{TABLE}.METHOD].")
    try:
        return MethodOptions().parse(content)
    except BadRequest as error:
        raise BadRequest(f"{path}: {error}") from error
