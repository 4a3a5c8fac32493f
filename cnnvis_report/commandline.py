"""What the commands share: errors in one line, values from the shell and from a settings file."""

import errno
import tomllib
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from cnnvis_report.errors import BadRequest, CnnVisError, InputRefused, UnknownName
from cnnvis_report.records import Option

STOPPED = 130  # what a shell gives a program that Ctrl-C has ended
EXPECTED = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}

Function = TypeVar("Function", bound=Callable[..., Any])


class Commands(click.Group):
    """A group whose commands say what a user can act on in one line, and keep the traceback of a bug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CnnVisError as error:
            hint = f" Give {error.option}." if isinstance(error, InputRefused) else ""
            click.echo(f"Error: {printable(str(error))}{hint}", err=True)
            if ctx.meta.get("verbose") and error.__cause__ is not None:
                traceback.print_exception(error.__cause__)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nStopped. What was done is kept; a run goes on from there with the same command.", err=True)
            ctx.exit(STOPPED)
        except (SystemExit, GeneratorExit) as error:  # ours are click's
            click.echo(f"Error: the network's code ends the program ({type(error).__name__}: {error}).", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno not in EXPECTED:
                raise
            where = f" ({error.filename})" if error.filename else ""
            click.echo(f"Error: {error.strerror}{where}. What was written is whole.", err=True)
            ctx.exit(1)


class Numbers(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click alone
    """Numbers with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Such as "0.485,0.456,0.406" to a tuple."""
        if isinstance(value, tuple | list):
            return tuple(float(each) for each in value)
        try:
            return tuple(float(part) for part in str(value).replace(",", " ").split())
        except ValueError:
            return self.fail(f"{value!r} isn't numbers with commas between them, such as 0.5,0.5,0.5.", param, ctx)


class Whole(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers above 0 with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Such as "1,5,10" to a tuple, in order and each once."""
        parts = (
            value
            if isinstance(value, tuple | list)
            else [part.strip() for part in str(value).split(",") if part.strip()]
        )
        if not all(str(part).isdecimal() and int(part) > 0 for part in parts):
            return self.fail(f"{value!r} isn't whole numbers with commas between them, such as 1,5,10.", param, ctx)
        return tuple(sorted({int(part) for part in parts}))


class BatchSize(click.ParamType):  # type: ignore[type-arg]
    """A number of images, or auto."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """None for auto."""
        if value in (None, "auto"):
            return None
        if str(value).isdigit() and int(value) > 0:
            return int(value)
        return self.fail(f"{value!r} is neither a number above 0 nor auto.", param, ctx)


def names_in(text: str | Sequence[str]) -> tuple[str, ...]:
    """Names with commas between them; a settings file may give a list."""
    parts = text.split(",") if isinstance(text, str) else text
    return tuple(name.strip() for name in parts if name.strip())


def method_options(settings: Sequence[str], table: dict[str, dict[str, Option]]) -> dict[str, dict[str, Option]]:
    """METHOD.NAME=VALUE from the shell over what a settings file says.

    Raises:
        BadRequest: a setting isn't of that form.
    """
    found = {method.replace("-", "_"): dict(options) for method, options in table.items()}
    for setting in settings:
        path, equals, value = setting.partition("=")
        method, dot, name = path.strip().rpartition(".")
        if not (equals and dot and method and name):
            raise BadRequest(f"--option {setting!r}: give METHOD.NAME=VALUE, such as smoothgrad.n=50.")
        found.setdefault(method.replace("-", "_"), {})[name] = value.strip()
    return found


def read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Take the settings of a TOML file as defaults: keys are the long options' names, `options` a table by method.

    Raises:
        BadRequest, UnknownName: the file can't be read, or has a key that is no option.
    """
    if path is None:
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"{path}: can't be read as TOML ({error}).") from error
    known = {
        name.removeprefix("--"): option
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name not in ("config", "settings")
        for name in option.opts
        if name.startswith("--")
    }
    defaults: dict[str, Any] = {}
    for key, value in content.items():
        option = known.get(key.replace("_", "-"))
        if key == "options" and isinstance(value, dict):
            ctx.meta["options"] = value
        elif option is None or option.name is None:
            raise UnknownName(f"setting in {path.name}", key, sorted([*known, "options"]))
        elif isinstance(value, list) and not option.multiple and option.type is click.STRING:
            defaults[option.name] = ",".join(map(str, value))
        else:
            defaults[option.name] = [value] if option.multiple and not isinstance(value, list) else value
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path


def note_verbose(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    """Remember for the place where errors are caught that their tracebacks are wanted."""
    ctx.meta["verbose"] = value
    return value


def printable(text: str) -> str:
    """Without the control characters that a file's name may smuggle into a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def options(*each: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Several options in the order of their reading."""

    def decorate(function: Function) -> Function:
        for option in reversed(each):
            function = option(function)
        return function

    return decorate
