"""`cnnvis-report inspect`: show what the layers of a network hold."""

from pathlib import Path

import click

from cnnvis_report.cli import finish
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import CONFIG, configured
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.settings.kinds import Choice

HOW_MUCH = {
    "default": "standard",
    "kind": Choice(("quick", "standard", "full")),
    "help": "How many images, channels and optimization steps to show; full adds inverted features.",
}


@click.command(cls=GroupedCommand, short_help="Show what the layers of a model compute.")
@configured(
    RunConfig,
    without=(
        *("select", "effort", "time", "options", "classes", "layers", "precision"),
        *("against", "fail_if", "summary", "json"),
        *("engine", "address", "exchange", "workers"),  # no map is made
    ),
    fixed={"methods": (), "metrics": "none"},
    changes={"inspect": HOW_MUCH, "output": {"default": Path("inspect-report")}},
    optional=("images",),
)
@CONFIG
def inspect(config: RunConfig) -> None:
    """Show what the layers of MODEL compute, and how they respond to IMAGES, without explaining any prediction.

    Filters, feature maps, a summary of each layer, projections, top images, feature visualizations, channel
    statistics and class score maps. Without IMAGES: filters, and feature visualizations of what --maximize names.

    \b
    Examples:
        cnnvis-report inspect resnet50 photos/ -o inspect-report
        cnnvis-report inspect resnet50 photos/ --unit layer4:7 --unit layer3:12:5,6
        cnnvis-report inspect vgg16 --maximize goldfish --maximize features.28:7+12
    """
    from cnnvis_report.pipeline.setup import set_up

    finish.claim(config.report.output)
    finish.report(set_up(config), finish.console_of(config.terminal))
