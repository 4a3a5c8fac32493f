"""`cnnvis-report run`: explain what a network sees in images."""

import click

from cnnvis_report.cli import comparing, finish, results, share
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import CONFIG, configured
from cnnvis_report.pipeline.config import RunConfig


@click.command(cls=GroupedCommand, short_help="Explain a model's predictions on images, in a report.")
@configured(RunConfig)
@CONFIG
def run(config: RunConfig) -> None:
    """Explain what MODEL sees in IMAGES, and write a report.

    MODEL is the name of a network (resnet50, timm:convnext_tiny), with --weights for a file of your own; a file
    (of 'cnnvis-report train', Keras, ONNX, TorchScript, torch.export or Lightning); a folder of Hugging Face's
    transformers; or package.module:function for a network of your own. IMAGES are files, folders, archives, tables
    and data sets. docs/inputs.md has all forms.

    A run that was stopped continues where it was when the same command is given again.

    \b
    Examples:
        cnnvis-report run resnet50 photos/ -o report
        cnnvis-report run resnet18 birds/ --weights birds.pth --class-names birds.txt
        cnnvis-report run mynet:build photos/ --size 128 --methods grad_cam,smoothgrad --classes label
        cnnvis-report run resnet50 photos/ --layer layer2 --layer layer4 --single-file
        cnnvis-report run model.pt photos/ --select misclassified
        cnnvis-report run new.pt photos/ -o new --against old --fail-if "broken>3"
    """
    from cnnvis_report.pipeline.setup import set_up

    results.check_files(config.job)
    comparing.check_against(config)
    share.checked(config.share, config.job, config.report, config.report.output)
    finish.claim(config.report.output)
    console = finish.console_of(config.terminal)
    engine = finish.engine_of(config)
    setup = set_up(config)
    comparing.check_network(setup)
    if config.data.select != "all":
        setup = finish.select(setup, console)
    finish.report(setup, console, engine)
