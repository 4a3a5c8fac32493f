"""`cnnvis-report render`: write the pages of a stored run again."""

from pathlib import Path

import click

from cnnvis_report.cli import finish, results, share
from cnnvis_report.cli.help import DescribedArgument, GroupedCommand, GroupedOption
from cnnvis_report.cli.options import configured
from cnnvis_report.cli.params import printable
from cnnvis_report.cli.types import SettingType
from cnnvis_report.errors import BadRequest, CnnVisError, brief
from cnnvis_report.pipeline.config import OutputConfig, ShareConfig
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File
from cnnvis_report.store.names import MANIFEST


@click.command(cls=GroupedCommand, short_help="Write the pages of a stored run again.")
@click.argument(
    "run", cls=DescribedArgument, type=SettingType(File()), metavar="RUN", description="The folder of a report."
)
@configured(
    OutputConfig, only=("title", "single_file", "pages", "processes", "fail_if", "summary", "json", "open", "verbose")
)
@configured(ShareConfig)
@click.option(
    "--repair",
    cls=GroupedOption,
    group=Group.REPORT,
    is_flag=True,
    help="Leave out damaged parts, and write the pages of the rest.",
)
def render(config: OutputConfig, sharing: ShareConfig, run: Path, repair: bool) -> None:
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
    from cnnvis_report.report.site_writer import SiteOptions
    from cnnvis_report.report.write import write_site
    from cnnvis_report.sharing.share import RunPages
    from cnnvis_report.store.repair import repair as repair_run
    from cnnvis_report.store.run_folder import load_run, titled

    results.check_files(config)
    how = share.checked(sharing, config, run, config.title)
    if (run / MANIFEST).is_file():
        finish.claim(run)
    for line in repair_run(run) if repair else ():
        click.echo(f"Warning: {printable(line)}", err=True)
    stored = titled(load_run(run), config.title)
    try:
        numbers = results_of_run(stored) if results.wanted(config) else None
        if numbers is not None:
            results.check_rules(config, numbers)
        options = SiteOptions(config.pages, config.processes)
        written = write_site(stored, single_file=config.single_file, max_size=how.max_size, options=options)
        handed_on = share.hand_on(RunPages(stored), how)
        finish.announce(written.first_page, config)
        share.announce(handed_on, config)
        if numbers is not None:
            results.deliver(config, numbers)
    except (CnnVisError, OSError):
        raise
    except Exception as error:  # every field fits its type, but a stranger may have put anything into them
        reason = f"{type(error).__name__}: {brief(error)}"
        raise BadRequest(f"{run}: no pages can be made of what its {MANIFEST} says ({reason}).") from error
