"""`cnnvis-report methods` and `cnnvis-report layers`: what there is to choose from."""

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options import configured
from cnnvis_report.cli.types import SettingType
from cnnvis_report.pipeline.config import DataConfig, ModelConfig
from cnnvis_report.settings.kinds import Text


@click.command(cls=GroupedCommand)
@click.argument("name", required=False, type=SettingType(Text(), "methods"), metavar="[NAME]")
def methods(name: str | None) -> None:
    """List the explanation methods, or describe the one called NAME.

    \b
    Example:
        cnnvis-report methods grad_cam
    """
    from cnnvis_report.cli.tables import method_details, methods_table

    click.echo(method_details(name) if name else methods_table())


@click.command(cls=GroupedCommand)
@configured(ModelConfig, only=("model", "weights"))
@configured(DataConfig, only=("size",))
def layers(model: ModelConfig, data: DataConfig) -> None:
    """List the layers of MODEL in the order in which they run, with the shapes of their outputs.

    Without a weights file at hand, a torchvision network is built with random weights, on which shapes don't depend.

    \b
    Example:
        cnnvis-report layers resnet50
    """
    from cnnvis_report.cli.tables import layers_table

    click.echo(layers_table(model, data))
