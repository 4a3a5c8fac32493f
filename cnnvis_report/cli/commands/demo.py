"""`cnnvis-report demo`: a report without a model and without data."""

from pathlib import Path

import click

from cnnvis_report.cli import finish, results
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import CONFIG, configured, option
from cnnvis_report.pipeline.config import DataConfig, ModelConfig, PreprocessingConfig, RunConfig
from cnnvis_report.settings import Group, settings_of
from cnnvis_report.settings.kinds import Integer

OF_OTHERS = tuple(  # settings of networks and images that somebody brings
    info.name for config in (ModelConfig, DataConfig, PreprocessingConfig) for info in settings_of(config)
)
MOST = 300  # pictures


@click.command(cls=GroupedCommand, short_help="Try everything on a small generated data set.")
@configured(
    RunConfig,
    without=(*OF_OTHERS, "against", "engine", "address", "exchange", "workers"),
    fixed={"model": "demo", "images": ()},
    changes={"output": {"default": Path("demo-report")}},
)
@option(
    "-n",
    "--images",
    "count",
    group=Group.IMAGES,
    kind=Integer(1, MOST),
    default=36,
    metavar="N",
    help="Number of images to explain.",
)
@CONFIG
def demo(config: RunConfig, count: int) -> None:
    """Train a small network on generated images and report on it: no model and no data needed.

    Each image shows one of five shapes on a textured background, among distracting strokes. The mask of the shape is
    known, so the report measures which methods point at it. Takes about a minute on two cores.

    \b
    Example:
        cnnvis-report demo -o demo-report --open
    """
    from cnnvis_report.cli.terminal.console_training import Reporter
    from cnnvis_report.pipeline.setup import set_up_model
    from cnnvis_report.training.demo import demonstrate

    results.check_files(config.job)
    finish.claim(config.report.output)
    console = finish.console_of(config.terminal)
    with Reporter(console) as reporter:
        demonstration = demonstrate(count, config.machine.seed, reporter)
    console.say(f"Trained   a small network on generated images: test accuracy {demonstration.accuracy:.1%}")
    finish.report(set_up_model(demonstration.model, lambda _: demonstration.images, config), console)
