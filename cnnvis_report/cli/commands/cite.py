"""`cnnvis-report cite`: what a paper says of a stored run, and BibTeX."""

from pathlib import Path

import click

from cnnvis_report.cli.help import DescribedArgument, GroupedCommand, GroupedOption
from cnnvis_report.cli.params import printable
from cnnvis_report.cli.types import SettingType
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File


@click.command(cls=GroupedCommand, short_help="Cite a stored run: settings for an appendix, BibTeX.")
@click.argument(
    "run", cls=DescribedArgument, type=SettingType(File()), metavar="RUN", description="The folder of a report."
)
@click.option(
    "--latex",
    is_flag=True,
    cls=GroupedOption,
    group=Group.REPORT,
    help="Write the paragraph as LaTeX that cites the entries.",
)
@click.option(
    "-o",
    "--output",
    cls=GroupedOption,
    group=Group.REPORT,
    type=SettingType(File()),
    metavar="FILE.bib",
    help="Write to a file instead of the terminal; BibTeX takes the paragraph in it for a comment.",
)
def cite(run: Path, latex: bool, output: Path | None) -> None:
    """Say in a paragraph how the maps of the stored RUN were computed, and give BibTeX of the methods and this program.

    The paragraph has the network, preprocessing, methods with their options, and the seed, for a paper's appendix.

    \b
    Examples:
        cnnvis-report cite report
        cnnvis-report cite report --latex -o references.bib
    """
    from cnnvis_report.report.citation import appendix, references
    from cnnvis_report.store.atomic import beside
    from cnnvis_report.store.run_folder import load_run

    record = load_run(run).record
    paragraph = " ".join(printable(appendix(record, latex=latex)).replace("@", " at ").split())
    text = f"% {paragraph}\n\n{references(record)}"
    if output is None:
        click.echo("\n".join(map(printable, text.splitlines())))
        return
    with beside(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    click.echo(printable(f"Wrote {output}"))
