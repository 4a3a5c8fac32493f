"""What all commands share: their order, errors in one line, and what a help text says of them all."""

import traceback
from typing import Any

import click

from cnnvis_report.cli.help import write_notes
from cnnvis_report.cli.options.sources import source_of
from cnnvis_report.cli.terminal.json_line import JSON, json_line
from cnnvis_report.errors import BadRequest, CnnVisError, InputRefused, RulesHold, UnknownName, brief, printable
from cnnvis_report.isolation.user_code import (
    ends_program,
    is_fatal,
    raised_in_network,
    user_output_to_stderr,
    warnings_once,
)
from cnnvis_report.store.files.os_errors import in_words, refusal

# words that people try -> what it is called here
OTHER_WORDS = {
    "inside": "inspect",
    "draw": "make-dataset",
    "explain": "run",
    "--only": "--select",
    "--evaluate": "--metrics",
    "--inside": "--inspect",
    "--views": "--inspect",
    "--prefer": "--maximize",
    "--form": "--parametrization",
    "--start": "--init",
    "--split": "--val-split",
    "--snapshots": "--checkpoint-epochs",
    "--balance": "--class-weights",
    "--learning-rate": "--lr",
}
STOPPED = 130  # what a shell gives a program that Ctrl-C has ended


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
            click.echo(f"Error: {printable(_message(error))}", err=True)
            ctx.exit(BadRequest.exit_code)
        except RulesHold as error:
            for line in error.lines:
                _say(ctx, line, error.exit_code)
            ctx.exit(error.exit_code)
        except CnnVisError as error:
            hint = f" Give {error.option}." if isinstance(error, InputRefused) else ""
            _say(ctx, f"{error}{hint}", error.exit_code)
            if ctx.meta.get("verbose") and error.__cause__ is not None:
                traceback.print_exception(error.__cause__)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            _say(ctx, "Stopped. The same command continues from what is done.", STOPPED)
            ctx.exit(STOPPED)
        except BaseException as error:
            message = None if isinstance(error, click.ClickException) else _told(error)
            if message is None:
                raise
            _say(ctx, message, 1)
            if ctx.meta.get("verbose"):
                traceback.print_exception(error)
            ctx.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of use."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of that name.

        Raises:
            UnknownName: there is none; it says which was probably meant.
        """
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            meant = OTHER_WORDS.get(name)
            raise UnknownName("command", name, self.commands, f"Use {meant!r} instead." if meant else "")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What holds for all commands."""
        write_notes(formatter)


def _message(error: click.UsageError) -> str:
    """What click says, with the option's other word here, or the variable or file that its value came from."""
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        meant = OTHER_WORDS.get(error.option_name, "")
        if meant in {option for parameter in error.ctx.command.params for option in parameter.opts}:
            return f"No such option {error.option_name!r}. Did you mean {meant!r}?"
    if isinstance(error, click.BadParameter) and error.ctx is not None and error.param is not None:
        source = source_of(error.ctx, error.param)
        if source:
            return f"{source}: {error.message}"
    return error.format_message()


def _say(ctx: click.Context, message: str, exit_code: int) -> None:
    """Why the command ends, in the form that was asked for."""
    if ctx.meta.get(JSON):
        click.echo(json_line("error", message=message, exit_code=exit_code), err=True)
    elif exit_code == STOPPED:
        click.echo(f"\n{message}", err=True)
    else:
        click.echo(f"Error: {printable(message)}", err=True)


def _told(error: BaseException) -> str | None:
    """One line for what somebody's own code, or the operating system, has raised; None for what is a bug of ours."""
    location = raised_in_network(error)
    if location is not None:
        fatal = is_fatal(error)
        return (
            str(ends_program(error, "network", location))
            if fatal
            else f"{location}: {type(error).__name__}: {brief(error)}."
        )
    refused = refusal(error) if isinstance(error, Exception) else None
    return f"{in_words(refused)}. What was written is whole." if refused is not None else None
