"""From a study to its report: what every command that ends in one does last."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnvis_report.cli.params import printable
from cnnvis_report.errors import GapsFound
from cnnvis_report.pipeline.config import OutputConfig, RunConfig

if TYPE_CHECKING:
    from cnnvis_report.cli.console import Console
    from cnnvis_report.pipeline.setup import Study


def claim(output: Path) -> None:
    """Be the only writer of the folder of a report until the command ends.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
    """
    from cnnvis_report.store.own_files import output as writing_into

    click.get_current_context().with_resource(writing_into(output))


def console_of(config: OutputConfig) -> "Console":
    """A console that says as much as the options ask for."""
    from cnnvis_report.cli.console import NORMAL, QUIET, VERBOSE, Console

    return Console(QUIET if config.quiet else VERBOSE if config.verbose else NORMAL)


def select(study: "Study", config: RunConfig, console: "Console", most: int | None = None) -> "Study":
    """The study of a selection, after a prediction of every image.

    Args:
        most: images of the selection at most, some of the errors and a spread over the set.
    """
    from cnnvis_report.pipeline.image_source import limit_of
    from cnnvis_report.pipeline.stages.predict import screened

    count = len(study.images)
    with console.progress("Predict", count):
        chosen = screened(study, config.data.select, most, console, limit_of(config))
    console.predicted(chosen, count)
    return chosen


def report(study: "Study", config: OutputConfig, console: "Console") -> None:
    """Plan, run, write the pages, and say so."""
    from cnnvis_report.pipeline.plan import make_plan
    from cnnvis_report.pipeline.run import conduct
    from cnnvis_report.report.write import write_site
    from cnnvis_report.store.run_folder import load_run

    plan = make_plan(study)
    console.plan(study, plan)
    with console.progress("Explain", plan.images):
        record, tally = conduct(study, plan, config.output, console)
    console.bill(record, tally)
    with console.progress("Pages", record.images):
        written = write_site(load_run(config.output), single_file=config.single_file, advance=console.done)
    console.pages(written)
    announce(written.first_page, config)
    missing = len(record.skipped) + len(record.not_applicable) + tally.gaps
    if config.strict and missing:
        raise GapsFound(
            f"--strict: {missing} things are missing; {written.first_page.with_name('run.html')} lists them."
        )


def announce(page: Path, config: OutputConfig) -> None:
    """Say where the report is, and open it where that is wanted."""
    click.echo(printable(f"Wrote {page}"))
    if config.open:
        click.launch(str(page))
