"""`cnnvis-report train`: train a classifier on folders of images."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cnnvis_report.cli import finish, results, share
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import CONFIG, PREFIX, configured
from cnnvis_report.cli.options.params import STOPPED
from cnnvis_report.pipeline.config import (
    DataConfig,
    ExplainConfig,
    JobConfig,
    MachineConfig,
    ModelConfig,
    ReportConfig,
    RunConfig,
    ShareConfig,
    TerminalConfig,
)
from cnnvis_report.training.config import TrainConfig

if TYPE_CHECKING:
    from cnnvis_report.cli.terminal.console import Console
    from cnnvis_report.training.train import Trained

EXPLAINED = 100  # images that the report of a training explains at most; `run` explains more
ALL_CLASSES_UP_TO = 10


@click.command(cls=GroupedCommand, short_help="Train a classifier on folders of images.")
@configured(TrainConfig, prefix=f"{PREFIX}TRAIN_")
@configured(MachineConfig, only=("device",))
@configured(ExplainConfig, only=("methods", "effort", "time"), needs="report")
@configured(ReportConfig, only=("single_file", "open"), needs="report")
@configured(ShareConfig, needs="report")
@configured(JobConfig, without=("strict", "against"), needs="report")
@configured(TerminalConfig)
@CONFIG
def train(
    config: TrainConfig,
    machine: MachineConfig,
    explain: ExplainConfig,
    report: ReportConfig,
    sharing: ShareConfig,
    job: JobConfig,
    terminal: TerminalConfig,
) -> None:
    """Train a classifier on IMAGES, a folder with a subfolder for each class.

    A part of each class is held out for validation, and the epoch with the highest validation accuracy is kept. The
    model file holds all that `run` needs. Ctrl-C ends the training with the best epoch so far.

    \b
    Examples:
        cnnvis-report train photos/ -o model.pt --report report
        cnnvis-report train photos/ -o model.pt --arch resnet18 --head cam --augment strong --test others/
        cnnvis-report train digits/ -o digits.pt --checkpoint-epochs 1,5,10,25 --report digits-report
    """
    from cnnvis_report.cli.terminal.console_training import Reporter
    from cnnvis_report.engine.devices import choose_device
    from cnnvis_report.methods.selection import select
    from cnnvis_report.training.train import train as train_model

    if config.report is not None:
        results.check_files(job)
        share.checked(sharing, job, report, config.report)
        finish.claim(config.report, "--report")
        select(explain.methods)
    console = finish.console_of(terminal)
    with Reporter(console) as reporter:
        trained = train_model(config, choose_device(machine.device), reporter)
    reporter.result(trained)
    click.echo(f"{'Unchanged' if reporter.unchanged else 'Wrote'} {config.output}")
    if trained.interrupted:
        click.get_current_context().exit(STOPPED)
    if config.report is not None:
        config_of_run = RunConfig(
            model=ModelConfig(config.output.name),
            data=DataConfig(images=(str(config.test or config.images),)),
            explain=replace(explain, classes=_classes(trained)),
            report=replace(report, output=config.report),
            job=job,
            terminal=terminal,
            machine=replace(machine, seed=config.seed),
            share=sharing,
        )
        _report(trained, config, config_of_run, console)


def _classes(trained: "Trained") -> str:
    """All classes of each image where they are few."""
    classes = len(trained.model.classes)
    return f"top:{classes if classes <= ALL_CLASSES_UP_TO else 3}"


def _report(trained: "Trained", config: TrainConfig, config_of_run: RunConfig, console: "Console") -> None:
    """The report on images that the network wasn't trained on."""
    from cnnvis_report.models.load import load_model
    from cnnvis_report.pipeline.setup import set_up_model

    setup = set_up_model(load_model(str(config.output)), lambda _: trained.judged, config_of_run)
    if len(setup.images) > EXPLAINED:
        setup = finish.select(setup, console, most=EXPLAINED)
    finish.report(setup, console)
