"""What a command says at its end: what it has written, and where."""

from collections.abc import Iterable
from pathlib import Path

import click

from cnnvis_report.errors import printable
from cnnvis_report.pipeline.config import JobConfig, ReportConfig
from cnnvis_report.store.files.output_file import output_file

TERMINAL = "-"


def announce_file(path: Path, job: JobConfig | None = None) -> None:
    """Say what was written; elsewhere where the standard output is a job's alone."""
    click.echo(printable(f"Wrote {path}"), err=job is not None and TERMINAL in (str(job.summary), str(job.json)))


def write_text(path: Path, text: str, job: JobConfig | None = None) -> None:
    """Write a text file, whole or not at all, and say so."""
    with output_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    announce_file(path, job)


def announce(page: Path, report: ReportConfig, job: JobConfig, handed_on: Iterable[Path] = ()) -> None:
    """Say where the report is, and open it where that is wanted; then where what is handed on is."""
    announce_file(page, job)
    if report.open:
        click.launch(str(page))
    for path in handed_on:
        announce_file(path, job)
