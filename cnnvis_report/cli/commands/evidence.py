"""`cnnvis-report evidence`: what a stored run says of its methods, as text."""

from pathlib import Path

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import option
from cnnvis_report.cli.stored_run import RUN, refused_as
from cnnvis_report.cli.terminal.announce import write_text
from cnnvis_report.errors import BadRequest
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File


@click.command(cls=GroupedCommand, short_help="Say which methods of a stored run to use.")
@RUN
@option("--json", "as_json", group=Group.REPORT, help="Print JSON instead of Markdown.")
@option(
    "-o", "--output", group=Group.REPORT, kind=File(), metavar="FILE", help="Write to a file instead of the terminal."
)
def evidence(run: Path, as_json: bool, output: Path | None) -> None:
    """Say which methods of the stored RUN to use, which to avoid, and why, with intervals.

    The folder may be somebody else's: nothing in it is executed, and nothing outside it is read. The numbers are those
    of its pages; neither the model nor torch is needed.

    \b
    Examples:
        cnnvis-report evidence report
        cnnvis-report evidence report --json -o evidence.json
    """
    from cnnvis_report.evidence.markdown import HEADING
    from cnnvis_report.store.files.output_file import check_output

    if output is not None:
        check_output(output, '"faithfulness": ' if as_json else HEADING, "evidence of a run")
    text = _text(run, as_json=as_json)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)


def _text(run: Path, *, as_json: bool) -> str:
    """The evidence of a run.

    Raises:
        BadRequest: there is no such run, or nothing was measured in it.
    """
    from dataclasses import asdict

    from cnnvis_report.cli.terminal.tables import as_json as json_text
    from cnnvis_report.evidence.markdown import markdown
    from cnnvis_report.store.run_folder import load_run

    stored = load_run(run)
    with refused_as(f"{run}: its evidence can't be read"):
        judged = stored.evidence
        if judged is None:
            raise BadRequest(f"{run}: no map was measured. Run its command again with --metrics quick or full.")
        return json_text(asdict(judged)) + "\n" if as_json else markdown(judged, stored.record)
