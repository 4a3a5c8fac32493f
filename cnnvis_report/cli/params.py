"""What the commands share: errors in one line, and values that several options are made of."""

import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cnnvis_report.errors import BadRequest, CnnVisError, InputRefused, brief
from cnnvis_report.isolation.blame import blamed, ending, is_fatal, listening, one_each
from cnnvis_report.store.os_errors import in_words, refusal

STOPPED = 130  # what a shell gives a program that Ctrl-C has ended

Function = TypeVar("Function", bound=Callable[..., Any])


class Commands(click.Group):
    """A group whose commands say what a user can act on in one line, and keep the traceback of a bug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with listening(), one_each():
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
    place = blamed(error)
    if place is not None:
        fatal = is_fatal(error)
        return str(ending(error, "network", place)) if fatal else f"{place}: {type(error).__name__}: {brief(error)}."
    refused = refusal(error) if isinstance(error, Exception) else None
    return f"{in_words(refused)}. What was written is whole." if refused is not None else None


def printable(text: str) -> str:
    """Without the control characters that a file's name may smuggle into a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
