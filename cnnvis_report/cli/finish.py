"""From a setup to its report: what every command that ends in one does last."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnvis_report.cli import comparing, results
from cnnvis_report.cli import share as sharing
from cnnvis_report.cli.options.dependent import NOT_USED
from cnnvis_report.cli.terminal.announce import announce
from cnnvis_report.cli.unfinished import page_meanwhile
from cnnvis_report.errors import BadRequest, GapsFound, RulesHold
from cnnvis_report.pipeline.config import RunConfig, TerminalConfig

if TYPE_CHECKING:
    from cnnvis_report.cli.terminal.console import Console
    from cnnvis_report.pipeline.explaining.map_making import Engine
    from cnnvis_report.pipeline.setup import Setup
    from cnnvis_report.store.run_folder import StoredRun


def claim(output: Path, option: str = "-o") -> None:
    """Be the only writer of the folder of a report until the command ends.

    Args:
        option: that names the folder; empty where none does.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
    """
    from cnnvis_report.store.own_files import output as writing_into

    click.get_current_context().with_resource(writing_into(output, option))


def engine_of(config: RunConfig) -> "Engine | None":
    """What makes the maps in the place of this process, until the command ends; None where nothing does.

    Raises:
        BadRequest: there is no such cluster.
    """
    from cnnvis_report.distributed.engine import engine_of
    from cnnvis_report.pipeline.setup import set_up

    return click.get_current_context().with_resource(engine_of(config, set_up))


def console_of(config: TerminalConfig) -> "Console":
    """A console that says as much as the options ask for, and which options aren't used."""
    from cnnvis_report.cli.terminal.console import NORMAL, QUIET, VERBOSE, Console
    from cnnvis_report.cli.terminal.json_console import JsonConsole

    level = QUIET if config.quiet else VERBOSE if config.verbose else NORMAL
    console = JsonConsole() if config.log_format == "json" else Console(level)
    for line in click.get_current_context().meta.pop(NOT_USED, ()):
        console.say(line)
    return console


def select(setup: "Setup", console: "Console", most: int | None = None) -> "Setup":
    """The setup of a selection, after a prediction of every image.

    Args:
        most: images of the selection at most, some of the errors and a spread over the set.
    """
    from cnnvis_report.pipeline.setup import select_images

    count = len(setup.images)
    with console.progress("Predict", count):
        selected = select_images(setup, console, most)
    if selected.selection is not None:
        console.predicted(selected.selection, count)
    return selected


@dataclass(frozen=True)
class Made:
    """A report that is written.

    stored: its run. first_page: its first page. missing: how many files were skipped and maps are missing. handed_on:
    the first page of a copy, and the zip file, where there are any.
    """

    stored: "StoredRun"
    first_page: Path
    missing: int
    handed_on: tuple[Path, ...] = ()


def report(setup: "Setup", console: "Console", engine: "Engine | None" = None) -> None:
    """Plan, run, write the pages and what is handed on, and say so."""
    config = setup.config
    result = make(setup, console, engine)
    announce(result.first_page, config.report, config.job, result.handed_on)
    conclude(result, config, console)


def make(setup: "Setup", console: "Console", engine: "Engine | None" = None) -> Made:
    """Plan, run, and write the pages and what is handed on.

    Args:
        engine: makes the maps, where this process doesn't.

    Raises:
        BadRequest: what is handed on can't be written there, or the time is too short; nothing has run then.
    """
    from cnnvis_report.cli.terminal.run_lines import too_short
    from cnnvis_report.pipeline.planning.efforts import plan_efforts
    from cnnvis_report.pipeline.run import run
    from cnnvis_report.report.time_estimate import pages_seconds
    from cnnvis_report.report.write import write_site
    from cnnvis_report.sharing.share import RunPages, hand_on
    from cnnvis_report.store.run_folder import load_run

    config = setup.config.report
    how = sharing.checked(setup.config.share, setup.config.job, config, config.output)
    planned = plan_efforts(setup, config.output, pages_seconds)
    if not planned.fits:
        raise BadRequest(too_short(planned))
    console.plan(planned)
    if engine is not None:
        console.say(f"Engine    {engine.describe(planned.setup)}")
    images = planned.plan.images
    with page_meanwhile(planned.setup, console, images) as progress:
        with console.progress("Explain", images):
            record, stats = run(planned.setup, planned.plan, config.output, progress, engine)
        console.bill(record, stats)
        stored, gaps = load_run(config.output), (record.skipped, record.not_applicable, record.stages_not_applicable)
        missing = sum(map(len, gaps)) + stats.missing_maps
        if record.keep == "none":  # the pages were written before the arrays were removed
            console.warn(f"{config.output}: the run is complete and keeps no arrays; its pages stay as they are.")
            return Made(stored, _written_page(stored), missing)
        with console.progress("Pages", record.images):
            written = write_site(stored, how.options, console)
    console.pages(written)
    handed_on = hand_on(RunPages(stored), how)
    return Made(stored, written.first_page, missing, tuple(handed_on))


def _written_page(stored: "StoredRun") -> Path:
    """The first page of a run that keeps no arrays, from which none can be made any more.

    Raises:
        BadRequest: it isn't there.
    """
    page = stored.folder / "index.html"
    if not page.is_file():
        stored.need_arrays()
    return page


def conclude(result: Made, config: RunConfig, console: "Console") -> None:
    """Write what else was asked for, and remove the arrays where none are kept.

    Then fail where something is missing that may not be, or where a rule holds.

    Raises:
        GapsFound: saying how much is missing, and where it is listed. RulesHold: a rule holds, or what it reads isn't
        known; where something is missing as well, that is its last line.
    """
    from cnnvis_report.store.discard import discard_arrays

    page = result.first_page.with_name("run.html")
    gaps = [f"--strict: {result.missing} things are missing; {page} lists them."]
    if not (config.job.strict and result.missing):
        gaps = []
    try:
        _deliver(result.stored, config, console)
    except RulesHold as error:
        raise RulesHold([*error.lines, *gaps]) from error
    finally:
        if config.storage.keep == "none":
            discard_arrays(config.report.output)
    if gaps:
        raise GapsFound(gaps[0])


def _deliver(stored: "StoredRun", config: RunConfig, console: "Console") -> None:
    """Compare with an earlier run, write what else was asked for, and judge the rules.

    Raises:
        RulesHold: a rule holds, or what it reads isn't known.
    """
    from cnnvis_report.comparison.read import load_run_to_compare
    from cnnvis_report.report.job_results import results_of_run

    job = config.job
    numbers = results_of_run(stored) if results.wanted(job) else None
    if job.against is not None:
        report = replace(config.report, output=comparing.folder_beside(config.report.output))
        numbers = comparing.compare([load_run_to_compare(job.against), stored], report, job, console, numbers)
    if numbers is not None and results.wanted(job):
        results.deliver(job, numbers)
