"""Help: commands in the order of use, options under headings."""

from collections import defaultdict
from typing import Any

import click

from cnnvis_report.settings import Group


class GroupedOption(click.Option):
    """An option that help lists under a heading.

    Args:
        group: the heading.
    """

    def __init__(self, *declarations: Any, group: Group = Group.GENERAL, **told: Any) -> None:
        super().__init__(*declarations, **told)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help lists options under headings, in the order of the headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each heading that has options."""
        sections: dict[Group, list[tuple[str, str]]] = defaultdict(list)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections[getattr(parameter, "group", Group.GENERAL)].append(record)
        for group in Group:
            if sections[group]:
                with formatter.section(group.value):
                    formatter.write_dl(sections[group])
