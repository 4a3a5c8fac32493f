"""`cnnvis-report cite`: what a paper says of a stored run, and BibTeX."""

from pathlib import Path

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import option
from cnnvis_report.cli.stored_run import RUN, refused_as
from cnnvis_report.cli.terminal.announce import write_text
from cnnvis_report.errors import printable
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File


@click.command(cls=GroupedCommand, short_help="Cite a stored run: settings for an appendix, BibTeX.")
@RUN
@option("--latex", group=Group.REPORT, help="Write the paragraph as LaTeX that cites the entries.")
@option(
    "-o",
    "--output",
    group=Group.REPORT,
    kind=File(),
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
    from cnnvis_report.report.citation import OPENING, appendix, references
    from cnnvis_report.store.files.output_file import check_output
    from cnnvis_report.store.run_folder import load_run

    if output is not None:
        check_output(output, OPENING, "a list of references")
    record = load_run(run).record
    with refused_as(f"{run}: can't be cited"):
        paragraph = " ".join(printable(appendix(record, latex=latex)).replace("@", " at ").split())
        text = f"% {paragraph}\n\n{references(record)}"
    if output is None:
        click.echo("\n".join(map(printable, text.splitlines())))
        return
    write_text(output, text)
