"""`cnnvis-report evidence`: what a stored run says of its methods, as text."""

from pathlib import Path

import click

from cnnvis_report.cli.help import DescribedArgument, GroupedCommand, GroupedOption
from cnnvis_report.cli.params import printable
from cnnvis_report.cli.types import SettingType
from cnnvis_report.errors import BadRequest, CnnVisError, brief
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File


@click.command(cls=GroupedCommand, short_help="Say which methods of a stored run to use.")
@click.argument(
    "run", cls=DescribedArgument, type=SettingType(File()), metavar="RUN", description="The folder of a report."
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group=Group.REPORT, help="Print JSON instead of Markdown."
)
@click.option(
    "-o",
    "--output",
    cls=GroupedOption,
    group=Group.REPORT,
    type=SettingType(File()),
    metavar="FILE",
    help="Write to a file instead of the terminal.",
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
    text = _text(run, as_json=as_json)
    if output is None:
        click.echo(text, nl=False)
        return
    from cnnvis_report.store.atomic import beside

    with beside(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    click.echo(printable(f"Wrote {output}"))


def _text(run: Path, *, as_json: bool) -> str:
    """The evidence of a run.

    Raises:
        BadRequest: there is no such run, or nothing was measured in it.
    """
    from dataclasses import asdict

    from cnnvis_report.cli.tables import as_json as json_text
    from cnnvis_report.evidence.markdown import markdown
    from cnnvis_report.store.run_folder import load_run

    stored = load_run(run)
    try:
        judged = stored.evidence
        if judged is None:
            raise BadRequest(f"{run}: no map was measured. Run its command again with --metrics quick or full.")
        return json_text(asdict(judged)) + "\n" if as_json else markdown(judged, stored.record)
    except (CnnVisError, OSError):
        raise
    except Exception as error:  # every field fits its type, but a stranger may have put anything into them
        raise BadRequest(f"{run}: its evidence can't be read ({type(error).__name__}: {brief(error)}).") from error
