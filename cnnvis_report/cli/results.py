"""What a job takes from a report beside its pages: a summary, the numbers as JSON, and whether rules hold."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from cnnvis_report.cli.terminal.announce import TERMINAL, write_text
from cnnvis_report.cli.terminal.tables import as_json
from cnnvis_report.errors import BadRequest, RulesHold
from cnnvis_report.pipeline.config import JobConfig
from cnnvis_report.rules.judge import Outcome, judge_all, line
from cnnvis_report.rules.value import Value
from cnnvis_report.store.files.output_file import output_file

if TYPE_CHECKING:
    from cnnvis_report.report.job_results import JobResults
    from cnnvis_report.report.markdown.document import Document

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"  # the variable that names a file which GitHub shows with a job
FORMAT = "cnnvis-report-values/1"


def wanted(job: JobConfig) -> bool:
    """Whether a job takes anything but pages."""
    return bool(job.fail_if or job.summary or job.json)


def check_files(job: JobConfig) -> None:
    """Refuse to write over anything but what an earlier call has written, before the work begins.

    Raises:
        BadRequest: saying what is there.
    """
    from cnnvis_report.report.figure.save import check_target
    from cnnvis_report.report.markdown.document import MARK
    from cnnvis_report.store.files.output_file import check_output

    if str(job.summary) == str(job.json) == TERMINAL:
        raise BadRequest("--summary and --json: one of them alone can be written to the terminal.")
    if job.summary is not None and str(job.summary) != TERMINAL and not _is_job_summary(job.summary):
        check_output(job.summary, MARK, "a summary")
        check_target(_picture_of(job.summary))
    if job.json is not None and str(job.json) != TERMINAL:
        check_output(job.json, FORMAT, "a file of numbers")


def check_rules(job: JobConfig, results: "JobResults") -> None:
    """Refuse rules that nothing answers to, where the numbers are known before the work begins.

    Raises:
        BadRequest: naming the rule.
    """
    for outcome in judge_all(job.fail_if, results.values, results.measures):
        if outcome.problem:
            raise BadRequest(line(outcome.rule, outcome.problem))


def deliver(job: JobConfig, results: "JobResults") -> None:
    """Write what was asked for, and say so; then judge the rules.

    Raises:
        RulesHold: a rule holds, or what it reads isn't known.
    """
    outcomes = judge_all(job.fail_if, results.values, results.measures)
    if job.json is not None:
        _write(job.json, as_json(_numbers(results, outcomes)) + "\n", job)
    if job.summary is not None:
        _write_summary(job.summary, results, outcomes, job)
    lines = [line(outcome.rule, outcome.describe()) for outcome in outcomes if outcome.fails]
    if lines:
        raise RulesHold(lines)


def _write_summary(path: Path, results: "JobResults", outcomes: Sequence[Outcome], job: JobConfig) -> None:
    document: Document = results.document(outcomes)
    if _is_job_summary(path):  # which other steps write to, too; GitHub shows no picture there
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(document.text())
        return
    from cnnvis_report.report.markdown.document import picture_address, screen_png

    picture = results.picture()
    if not picture:
        _write(path, document.text(), job)
    elif str(path) == TERMINAL:
        _write(path, document.text(picture_address(picture)), job)
    else:
        with output_file(_picture_of(path)) as temporary:
            temporary.write_bytes(screen_png(picture))
        _write(path, document.text(quote(_picture_of(path).name)), job)


def _write(path: Path, text: str, job: JobConfig) -> None:
    if str(path) == TERMINAL:
        click.echo(text, nl=False)
        return
    write_text(path, text, job)


def _numbers(results: "JobResults", outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The numbers of each later run, or of the only one, by the labels that rules have."""
    runs = list(dict.fromkeys(value.run for value in results.values))
    return {
        "format": FORMAT,
        "title": results.title,
        "findings": [{"topic": topic, "text": text} for topic, text in results.findings],
        "runs": [
            {"name": run, "values": {value.label: _number(value) for value in results.values if value.run == run}}
            for run in runs
        ],
        "rules": [
            {
                "rule": outcome.rule.text,
                "holds": None if outcome.problem else outcome.holds,  # nobody knows
                "measured": outcome.describe(),
            }
            for outcome in outcomes
        ],
    }


def _number(value: Value) -> dict[str, float | None]:
    interval = value.interval
    return {"value": interval.mean, "low": interval.low, "high": interval.high, "images": interval.images}


def _is_job_summary(path: Path) -> bool:
    return bool(os.environ.get(JOB_SUMMARY)) and path == Path(os.environ[JOB_SUMMARY])


def _picture_of(path: Path) -> Path:
    return path.with_suffix(".png")
