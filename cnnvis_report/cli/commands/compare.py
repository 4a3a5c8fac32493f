"""`cnnvis-report compare`: what changed between runs of the same images."""

from pathlib import Path

import click

from cnnvis_report.cli import comparing, finish, results, share
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import argument, configured
from cnnvis_report.pipeline.config import JobConfig, ReportConfig, ShareConfig, TerminalConfig
from cnnvis_report.settings.kinds import File

CHANGES: dict[str, dict[str, object]] = {
    "output": {"default": Path("comparison"), "help": "Folder of the comparison."},
    "pages": {
        "default": 200,
        "help": "Most images that get a page: those that changed most. Numbers are of all images.",
    },
    "title": {"default_text": "What changed from OLD to NEW", "help": "Title of the comparison."},
    "open": {"help": "Open the comparison in the browser."},
    "fail_if": {
        "help": 'Exit with status 4 if a rule holds, such as "broken>3", "accuracy_difference<-1%" or "moved>0.2". '
        "The comparison is written all the same. Repeatable."
    },
}
SHARED: dict[str, dict[str, object]] = {
    "anonymous": {
        "help": "Write a copy without names for a blind review: runs, images, classes and layers are numbered."
    },
    "copy": {"default_text": "anonymous-report, or DIR-share, beside the comparison"},
}


@click.command(cls=GroupedCommand, short_help="Show what changed between runs of the same images.")
@argument(
    "runs",
    kind=File(),
    nargs=-1,
    required=True,
    metavar="OLD NEW...",
    description="Folders of two to six reports; each later one is compared with the first.",
)
@configured(ReportConfig, changes=CHANGES)
@configured(ShareConfig, changes=SHARED)
@configured(JobConfig, without=("strict", "against"), changes=CHANGES)
@configured(TerminalConfig)
def compare(
    report: ReportConfig, sharing: ShareConfig, job: JobConfig, terminal: TerminalConfig, runs: tuple[Path, ...]
) -> None:
    """Show what changed between two to six reports of the same images, without a model, a GPU or torch.

    Images are matched by what their files hold, then by name. The first screen says whether accuracy changed, which
    images were fixed and broken, and whether the networks look at the same things: how far the maps of each image moved
    (1 − Spearman's rank correlation), and how much of their relevance lies in the ground-truth mask, where there is
    one. The folders may be somebody else's: nothing in them is executed or changed.

    \b
    Examples:
        cnnvis-report compare old-report new-report -o comparison
        cnnvis-report compare epoch-1 epoch-5 epoch-20 -o training
        cnnvis-report compare old-report new-report --anonymous --zip
        cnnvis-report compare main pull-request --fail-if "broken>3" --summary summary.md
    """
    from cnnvis_report.comparison.read import load_runs

    results.check_files(job)
    how = share.checked(sharing, job, report, report.output, report.title, comparison=True)
    stored = load_runs(runs)
    comparing.check_rules(job, stored)
    numbers = comparing.compare(stored, report, job, finish.console_of(terminal), how=how)
    if results.wanted(job):
        results.deliver(job, numbers)
