"""`cnnvis-report render`: write the pages of a stored run again."""

from pathlib import Path

import click

from cnnvis_report.cli import finish, results, share
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import configured, option
from cnnvis_report.cli.stored_run import RUN, refused_as
from cnnvis_report.cli.terminal.announce import announce
from cnnvis_report.errors import printable
from cnnvis_report.pipeline.config import JobConfig, ReportConfig, ShareConfig, TerminalConfig
from cnnvis_report.settings import Group
from cnnvis_report.store.files.names import MANIFEST


@click.command(cls=GroupedCommand, short_help="Write the pages of a stored run again.")
@RUN
@configured(ReportConfig, without=("output",))
@configured(JobConfig, without=("strict", "against"))
@configured(TerminalConfig, only=("quiet", "verbose"))
@configured(ShareConfig)
@option("--repair", group=Group.REPORT, help="Leave out damaged parts, and write the pages of the rest.")
def render(
    report: ReportConfig, job: JobConfig, terminal: TerminalConfig, sharing: ShareConfig, run: Path, repair: bool
) -> None:
    """Write the pages of the stored RUN again, without its model, a GPU or torch.

    The folder may be somebody else's: nothing in it is executed, and nothing outside it is written or removed, but
    for a note in your cache of what its pages were made from, so that only pages that change are written again. A
    damaged run is refused, naming the part that has changed since it was written.

    \b
    Examples:
        cnnvis-report render report --single-file
        cnnvis-report render report --repair
        cnnvis-report render report --title "Before and after pruning"
        cnnvis-report render report --anonymous --zip
        cnnvis-report render report --max-size 10MB
    """
    from cnnvis_report.report.job_results import results_of_run
    from cnnvis_report.report.write import write_site
    from cnnvis_report.sharing.share import RunPages, hand_on
    from cnnvis_report.store.repair import repair as repair_run
    from cnnvis_report.store.run_folder import load_run, titled

    results.check_files(job)
    how = share.checked(sharing, job, report, run, report.title)
    if (run / MANIFEST).is_file():
        finish.claim(run, "")
    for line in repair_run(run) if repair else ():
        click.echo(f"Warning: {printable(line)}", err=True)
    stored = titled(load_run(run), report.title)
    with refused_as(f"{run}: no pages can be made of what its {MANIFEST} says"):
        numbers = results_of_run(stored) if results.wanted(job) else None
        if numbers is not None:
            results.check_rules(job, numbers)
        written = write_site(stored, how.options)
        handed_on = hand_on(RunPages(stored), how)
        if written.sample and not terminal.quiet:
            click.echo(f"Note: {written.sample}.", err=True)
        announce(written.first_page, report, job, handed_on)
        if numbers is not None:
            results.deliver(job, numbers)
