"""Help: commands in the order of use, options under headings."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import click

from cnnvis_report.cli.options.sources import with_source
from cnnvis_report.errors import BadRequest
from cnnvis_report.settings import Group

HELP = ("-h", "--help")


class GroupedOption(click.Option):
    """An option that help lists under a heading.

    Args:
        group: the heading. needs: the name of another option without which this one does nothing. applies:
        whether a variable's value is meant for this command; all are without one.
    """

    def __init__(
        self,
        *declarations: Any,
        group: Group = Group.GENERAL,
        needs: str = "",
        applies: Callable[[str], bool] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*declarations, **options)
        self.group = group
        self.needs = needs
        self.applies = applies

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value; None where it is meant for other commands alone."""
        value = super().resolve_envvar_value(ctx)
        is_of_others = value is not None and self.applies is not None and not self.applies(value)
        return None if is_of_others else value


class DescribedArgument(click.Argument):
    """An argument that help has a line for.

    Args:
        description: what it is, a sentence.
    """

    def __init__(self, *declarations: Any, description: str, **options: Any) -> None:
        super().__init__(*declarations, **options)
        self.description = description

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Its name and what it is."""
        return self.human_readable_name.strip("[]."), self.description


class GroupedCommand(click.Command):
    """A command whose help lists options under headings, in their order, and whose errors say where a value stands."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """As the program has them, for a command that is called by itself too: click keeps what it answers first."""
        return list(HELP)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BadRequest as error:
            error.args = (with_source(str(error), ctx), *error.args[1:])
            raise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; while a value is being completed, what stands before its option counts."""
        options = {name for entry in self.params if isinstance(entry, click.Option) for name in entry.opts}
        complete = ctx.resilient_parsing and args and args[-1] in options
        return super().parse_args(ctx, args[:-1] if complete else args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for the arguments, and one for each heading that has options."""
        arguments = [entry for entry in self.get_params(ctx) if isinstance(entry, DescribedArgument)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([entry.get_help_record(ctx) for entry in arguments])
        sections: dict[Group, list[tuple[str, str]]] = defaultdict(list)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections[getattr(parameter, "group", Group.GENERAL)].append(record)
        for group in Group:
            if sections[group]:
                with formatter.section(group.value):
                    formatter.write_dl(sections[group])


# what holds for all commands, said once: heading, and rows of term and meaning
NOTES = (
    (
        "Files written",
        (
            ("run, inspect, demo", "A folder: index.html is the first page, run.json and arrays/ hold the results."),
            ("train", "One model file; FILE.part.pt next to it until the training is complete."),
            ("export", "A new folder of maps, with manifest.json and manifest.csv."),
            ("make-dataset", "A folder of images by class, masks, and dataset.json."),
        ),
    ),
    (
        "Exit status",
        (
            ("0", "Success."),
            ("1", "The run failed, e.g. the network raised an error or the disk is full."),
            ("2", "An argument or option can't be used; nothing was written."),
            ("3", "With --strict: a file was skipped or a map is missing."),
            ("4", "With --fail-if: a rule holds, or what it reads isn't known."),
            ("130", "Interrupted by Ctrl-C; the same command continues the run."),
        ),
    ),
    (
        "Environment",
        (
            ("CNNVIS_REPORT_NAME", "Default of the option --name, e.g. CNNVIS_REPORT_DEVICE=cuda."),
            ("CNNVIS_REPORT_TRAIN_NAME", "The same for train, e.g. CNNVIS_REPORT_TRAIN_EPOCHS=10."),
        ),
    ),
    (
        "Shell completion",
        (
            ("bash", 'eval "$(_CNNVIS_REPORT_COMPLETE=bash_source cnnvis-report)"'),
            ("zsh", 'eval "$(_CNNVIS_REPORT_COMPLETE=zsh_source cnnvis-report)"'),
            ("fish", "_CNNVIS_REPORT_COMPLETE=fish_source cnnvis-report | source"),
        ),
    ),
)


def write_notes(formatter: click.HelpFormatter) -> None:
    """What holds for all commands."""
    for heading, rows in NOTES:
        with formatter.section(heading):
            formatter.write_dl(rows)
