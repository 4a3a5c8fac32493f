"""Runs compared, and the pages of the comparison written: what `compare` and `run --against` share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis_report.cli.stored_run import refused_as
from cnnvis_report.cli.terminal.announce import announce
from cnnvis_report.errors import BadRequest, printable
from cnnvis_report.pipeline.config import JobConfig, ReportConfig, RunConfig

if TYPE_CHECKING:
    from cnnvis_report.cli.terminal.console import Console
    from cnnvis_report.pipeline.setup import Setup
    from cnnvis_report.report.job_results import JobResults
    from cnnvis_report.sharing.share import Share
    from cnnvis_report.store.run_folder import StoredRun


def folder_beside(output: Path) -> Path:
    """Where a run's comparison with an earlier one goes."""
    return output.absolute().with_name(f"{output.absolute().name}-comparison")


def check_against(config: RunConfig) -> None:
    """Refuse an earlier run that can't be compared with, before the work begins.

    Raises:
        BadRequest: there is no complete run, it is this one, or something else is where the comparison would be.
    """
    from cnnvis_report.comparison.read import load_run_to_compare
    from cnnvis_report.store.comparison.comparison_file import check_writable

    against, output = config.job.against, config.report.output
    if against is None:
        return
    if against.resolve() == output.resolve():
        raise BadRequest(f"--against {against}: is the folder that this run is written to; give -o another one.")
    load_run_to_compare(against)
    check_writable(folder_beside(output), "")


def check_network(setup: "Setup") -> None:
    """Refuse an earlier run of another task or of classes in another order, before the work begins.

    Raises:
        BadRequest: saying what differs.
    """
    from cnnvis_report.comparison.align import survey
    from cnnvis_report.comparison.checks import check_class_names, check_kinds
    from cnnvis_report.comparison.read import load_run_to_compare

    against = setup.config.job.against
    if against is None:
        return
    earlier, subject = load_run_to_compare(against), setup.network.subject
    network = earlier.record.network
    check_kinds("MODEL", subject.meaning.kind, str(against), network.kind)
    if network.classes == len(subject.classes):
        check_class_names("MODEL", dict(enumerate(subject.classes)), str(against), survey(earlier).classes)


def check_rules(job: JobConfig, runs: Sequence["StoredRun"]) -> None:
    """Refuse rules that a comparison will have no value for, before the work begins.

    Raises:
        BadRequest: naming the rule, and the nearest name or what would give the value.
    """
    from cnnvis_report.rules.early import check_compared
    from cnnvis_report.rules.run_values import measure_names

    records = [run.record for run in runs]
    explaining = [{method.name for method in record.methods if not method.baseline} for record in records]
    check_compared(
        job.fail_if,
        measures=list(dict.fromkeys(name for record in records for name in measure_names(record))),
        methods=sorted(set.intersection(*explaining)),
    )


def compare(
    runs: Sequence["StoredRun"],
    report: ReportConfig,
    job: JobConfig,
    console: "Console",
    later: "JobResults | None" = None,
    how: "Share | None" = None,
) -> "JobResults":
    """Compare runs, write the pages and say so; the numbers that rules and the summary read.

    Args:
        report: of the comparison.
        later: what a job takes from the only later run. how: the comparison is handed on.

    Raises:
        BadRequest: they can't be compared, or something else is where the comparison would be.
    """
    from cnnvis_report.comparison.read import write_compared
    from cnnvis_report.report.comparison.write import write_comparison
    from cnnvis_report.report.job_results import results_of_comparison
    from cnnvis_report.report.site.site_writer import SiteOptions
    from cnnvis_report.sharing.comparison_pages import ComparisonPages
    from cnnvis_report.sharing.share import Share, hand_on
    from cnnvis_report.store.comparison.comparison_file import comparison_output
    from cnnvis_report.store.files.names import FIGURE

    folder, how = report.output, how or Share(options=SiteOptions(report.pages, report.processes))
    with comparison_output(folder), refused_as(f"{', '.join(str(run.folder) for run in runs)}: can't be compared"):
        with console.progress("Compare", runs[0].record.images):
            comparison = write_compared(runs, folder, report.title, progress=console)
        with console.progress("Pages", len(comparison.images)):
            written = write_comparison(comparison, runs, folder, how.options, console)
        handed_on = hand_on(ComparisonPages(comparison, runs, folder), how)
    for finding in comparison.findings:
        console.say(printable(f"{finding.topic}: {finding.text}"))
    for notice in comparison.notices:
        console.warn(printable(notice))
    announce(written.first_page, report, job, handed_on)
    figure = folder / FIGURE
    return results_of_comparison(comparison, lambda: figure.read_bytes() if figure.is_file() else b"", later)
