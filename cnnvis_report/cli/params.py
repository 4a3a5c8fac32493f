"""What the commands share: errors in one line, and values that several options are made of."""

import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from cnnvis_report.errors import BadRequest, CnnVisError, InputRefused, brief, shown
from cnnvis_report.isolation.user_code import (
    ends_program,
    is_fatal,
    raised_in_network,
    user_output_to_stderr,
    warnings_once,
)
from cnnvis_report.records.methods import Option
from cnnvis_report.store.os_errors import in_words, refusal

STOPPED = 130  # what a shell gives a program that Ctrl-C has ended

Function = TypeVar("Function", bound=Callable[..., Any])


class Commands(click.Group):
    """A group whose commands say what a user can act on in one line, and keep the traceback of a bug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with user_output_to_stderr(), warnings_once():
                return super().invoke(ctx)
        except click.MissingParameter:
            raise
        except (click.BadParameter, click.NoSuchOption, click.BadOptionUsage) as error:
            click.echo(f"Error: {printable(error.format_message())}", err=True)
            ctx.exit(BadRequest.exit_code)
        except CnnVisError as error:
            hint = f" Give {error.option}." if isinstance(error, InputRefused) else ""
            click.echo(f"Error: {printable(str(error))}{hint}", err=True)
            if ctx.meta.get("verbose") and error.__cause__ is not None:
                traceback.print_exception(error.__cause__)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nStopped. The same command goes on from what is done.", err=True)
            ctx.exit(STOPPED)
        except BaseException as error:
            said = None if isinstance(error, click.ClickException) else _told(error)
            if said is None:
                raise
            click.echo(f"Error: {printable(said)}", err=True)
            if ctx.meta.get("verbose"):
                traceback.print_exception(error)
            ctx.exit(1)


def _told(error: BaseException) -> str | None:
    """One line for what somebody's own code, or the operating system, has raised; None for what is a bug of ours."""
    place = raised_in_network(error)
    if place is not None:
        fatal = is_fatal(error)
        return (
            str(ends_program(error, "network", place)) if fatal else f"{place}: {type(error).__name__}: {brief(error)}."
        )
    refused = refusal(error) if isinstance(error, Exception) else None
    return f"{in_words(refused)}. What was written is whole." if refused is not None else None


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
            raise BadRequest(f"--option {shown(setting)}: give METHOD.NAME=VALUE, such as smoothgrad.n=50.")
        found.setdefault(method.replace("-", "_"), {})[name] = value.strip()
    return found


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
