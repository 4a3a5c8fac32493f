"""`cnnvis-report compare`: what changed between runs of the same images."""

from pathlib import Path

import click

from cnnvis_report.cli import comparing, results
from cnnvis_report.cli.help import DescribedArgument, GroupedCommand
from cnnvis_report.cli.options import configured
from cnnvis_report.cli.types import SettingType
from cnnvis_report.pipeline.config import OutputConfig
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


@click.command(cls=GroupedCommand, short_help="Show what changed between runs of the same images.")
@click.argument(
    "runs",
    cls=DescribedArgument,
    type=SettingType(File()),
    nargs=-1,
    required=True,
    metavar="OLD NEW...",
    description="Folders of two to six reports; each later one is compared with the first.",
)
@configured(
    OutputConfig,
    only=(
        "output",
        "pages",
        "processes",
        "title",
        "fail_if",
        "summary",
        "json",
        "open",
        "quiet",
        "verbose",
        "log_format",
    ),
    changes=CHANGES,
)
def compare(config: OutputConfig, runs: tuple[Path, ...]) -> None:
    """Show what changed between two to six reports of the same images, without a model, a GPU or torch.

    Images are matched by what their files hold, then by name. The first screen says whether accuracy changed, which
    images were fixed and broken, and whether the networks look at the same things: how far the maps of each image moved
    (1 − Spearman's rank correlation), and how much of their relevance lies in the ground-truth mask, where there is
    one. The folders may be somebody else's: nothing in them is executed or changed.

    \b
    Examples:
        cnnvis-report compare old-report new-report -o comparison
        cnnvis-report compare epoch-1 epoch-5 epoch-20 -o training
        cnnvis-report compare main pull-request --fail-if "broken>3" --summary summary.md
    """
    from cnnvis_report.comparison.read import load_runs

    results.check_files(config)
    stored = load_runs(runs)
    comparing.check_rules(config, stored)
    numbers = comparing.compare(stored, config.output, config)
    if results.wanted(config):
        results.deliver(config, numbers)
