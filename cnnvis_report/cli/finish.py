"""From a study to its report: what every command that ends in one does last."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnvis_report.cli.params import printable
from cnnvis_report.errors import GapsFound

if TYPE_CHECKING:
    from cnnvis_report.cli.console import Console
    from cnnvis_report.data.limit import Limit
    from cnnvis_report.pipeline.setup import Study


def claim(output: Path) -> None:
    """Be the only writer of the folder of a report until the command ends.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
    """
    from cnnvis_report.store.own_files import output as writing_into

    click.get_current_context().with_resource(writing_into(output))


def console_of(given: dict[str, Any]) -> "Console":
    """A console that says as much as the options ask for."""
    from cnnvis_report.cli.console import NORMAL, QUIET, VERBOSE, Console

    return Console(QUIET if given.get("quiet") else VERBOSE if given.get("verbose") else NORMAL)


def look_at_all(
    study: "Study", only: str, most: int | None, console: "Console", limit: "Limit | None" = None
) -> "Study":
    """The study of a selection, after a look at every image; of as many of them as the limit says."""
    from cnnvis_report.pipeline.stages.predict import screened

    count = len(study.images)
    with console.progress("Look", count):
        chosen = screened(study, only, most, console, limit)
    answers, of_labels = chosen.answers, chosen.label_answers
    if answers is not None:
        right = f"{answers.correct} of {answers.images} labeled images right"
    elif of_labels is not None:
        right = f"{of_labels.exact} of {of_labels.images} labeled images with all labels right and no other"
    else:
        return chosen
    unknown = (of_labels or answers).unknown  # type: ignore[union-attr] # one of them is there
    beside = f", {unknown} with a label that the network doesn't know" if unknown else ""
    console.say(f"Looked    at {count} images: {right}{beside}; {len(chosen.images)} to be explained")
    return chosen


def finish(study: "Study", output: Path, console: "Console", given: dict[str, Any]) -> None:
    """Plan, run, write the pages, and say so."""
    from cnnvis_report.pipeline.plan import make_plan
    from cnnvis_report.pipeline.run import conduct
    from cnnvis_report.report.write import write_site
    from cnnvis_report.store.run_folder import load_run

    plan = make_plan(study)
    console.plan(study, plan)
    with console.progress("Explain", plan.images):
        record, tally = conduct(study, plan, output, console)
    console.bill(record, tally)
    with console.progress("Pages", record.images):
        written = write_site(load_run(output), single_file=given["single_file"], advance=console.done)
    console.pages(written)
    click.echo(printable(f"Wrote {written.first_page}"))
    if given["open_page"]:
        click.launch(str(written.first_page))
    missing = len(record.skipped) + len(record.not_applicable) + tally.gaps
    if given["strict"] and missing:
        raise GapsFound(
            f"--strict: {missing} things are missing; {written.first_page.with_name('run.html')} lists them."
        )
