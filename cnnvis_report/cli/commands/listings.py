"""`cnnvis-report methods` and `cnnvis-report layers`: what there is to choose from."""

from dataclasses import replace

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import argument, configured, option
from cnnvis_report.pipeline.config import ModelConfig, PreprocessingConfig
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import FileName, Text

OPENING = ("weights", "architecture", "arguments", "trust")  # settings of a model that say how it is opened
JSON = option("--json", "as_json", help="Print JSON instead of a table.")


@click.command(cls=GroupedCommand, short_help="List the attribution methods, or describe one.")
@argument(
    "name",
    required=False,
    kind=Text(),
    completes="methods",
    metavar="[NAME]",
    description="A method, or package.module:function for one of your own.",
)
@option(
    "--for",
    "network",
    group=Group.MODEL,
    kind=FileName(),
    completes="models",
    metavar="MODEL",
    help="Say which methods are applicable to this network, and why the others are not.",
)
@configured(ModelConfig, only=OPENING, fixed={"model": "none"}, needs="network")
@configured(PreprocessingConfig, only=("size",), needs="network")
@JSON
def methods(
    model: ModelConfig, preprocessing: PreprocessingConfig, name: str | None, network: str | None, as_json: bool
) -> None:
    """List the attribution methods, or describe the one called NAME.

    Not every method is applicable to every network: some need ReLU activations, or a last layer of a certain form.

    \b
    Examples:
        cnnvis-report methods grad_cam
        cnnvis-report methods --for resnet50
        cnnvis-report methods --json
    """
    from cnnvis_report.cli.terminal import tables
    from cnnvis_report.methods.catalog import catalog

    reasons = None
    if network is not None:
        from cnnvis_report.cli.terminal.network_tables import not_applicable_methods

        reasons = not_applicable_methods(replace(model, model=network), preprocessing)
    if name is None:
        click.echo(tables.methods_json(catalog(), reasons) if as_json else tables.methods_table(reasons))
        return
    method = tables.method_called(name)
    click.echo(tables.methods_json([method], reasons) if as_json else tables.method_details(method))
    if reasons is not None and not as_json:
        reason = reasons.get(method.name)
        click.echo(f"\n{f'Not applicable to {network}: {reason}' if reason else f'Applicable to {network}'}.")


@click.command(cls=GroupedCommand, short_help="List the layers of a model.")
@configured(ModelConfig, only=("model", *OPENING))
@configured(PreprocessingConfig, only=("size",))
@JSON
def layers(model: ModelConfig, preprocessing: PreprocessingConfig, as_json: bool) -> None:
    """List the layers of MODEL in the order in which they run, with the shapes of their outputs.

    Without a weights file at hand, a torchvision network is built with random weights, on which shapes don't depend.

    \b
    Examples:
        cnnvis-report layers resnet50
        cnnvis-report layers resnet50 --json
    """
    from cnnvis_report.cli.terminal import network_tables

    table = network_tables.layers_json if as_json else network_tables.layers_table
    click.echo(table(model, preprocessing))
