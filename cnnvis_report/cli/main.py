"""The command line: parse, one call, say what was written.

torch is imported by the commands that need it, so that `--help` answers at once and `render` works without it.
"""

import click

from cnnvis_report import __version__
from cnnvis_report.cli.commands.cite import cite
from cnnvis_report.cli.commands.compare import compare
from cnnvis_report.cli.commands.demo import demo
from cnnvis_report.cli.commands.evidence import evidence
from cnnvis_report.cli.commands.export import export
from cnnvis_report.cli.commands.figure import figure
from cnnvis_report.cli.commands.inspect import inspect
from cnnvis_report.cli.commands.listings import layers, methods
from cnnvis_report.cli.commands.make_dataset import make_dataset
from cnnvis_report.cli.commands.render import render
from cnnvis_report.cli.commands.run import run
from cnnvis_report.cli.commands.train import train
from cnnvis_report.cli.help import HELP
from cnnvis_report.cli.malloc import keep_memory
from cnnvis_report.cli.options.params import Commands


@click.group(cls=Commands, context_settings={"help_option_names": list(HELP), "max_content_width": 110})
@click.version_option(__version__, prog_name="cnnvis-report")
def cli() -> None:
    """Explain what a convolutional network looks at: every attribution method, in a report that opens offline.

    \b
    Without a model and without data:
        cnnvis-report demo -o demo-report
    With your own:
        cnnvis-report run resnet50 photos/ -o report
    With images and no model:
        cnnvis-report train photos/ -o model.pt --report report
    """
    keep_memory()


COMMANDS = (demo, run, train, inspect, render, compare, evidence, figure, export, cite, methods, layers, make_dataset)
for command in COMMANDS:
    cli.add_command(command)
