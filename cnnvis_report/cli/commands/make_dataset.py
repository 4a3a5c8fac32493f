"""`cnnvis-report make-dataset`: generate a data set with ground truth."""

from pathlib import Path

import click

from cnnvis_report.cli import finish
from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import argument, configured, option
from cnnvis_report.pipeline.config import TerminalConfig
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File, Integer, Text


@click.command("make-dataset", cls=GroupedCommand, short_help="Generate a data set with ground-truth masks.")
@argument("kind", kind=Text(), metavar="KIND", description="shapes or layers, as above.")
@option("-o", "--output", group=Group.IMAGES, kind=File(), required=True, metavar="DIR", help="Folder of the data set.")
@option(
    "-n",
    "--count",
    group=Group.IMAGES,
    kind=Integer(1, 100_000_000),
    default=1000,
    metavar="N",
    help="Number of images.",
)
@option(
    "--variant",
    group=Group.IMAGES,
    kind=Text(),
    metavar="NAME",
    help="Variant of layers: gray, annotated, shift, marked or misleading.  [default: gray]",
)
@option(
    "--size",
    group=Group.IMAGES,
    kind=Integer(1),
    metavar="SIDE",
    help="Side of an image in pixels.  [default: 80 for shapes, 213 for layers]",
)
@option("--seed", group=Group.IMAGES, kind=Integer(0), default=0, metavar="N", help="Random seed.")
@configured(TerminalConfig, only=("quiet", "log_format"))
def make_dataset(
    terminal: TerminalConfig, kind: str, count: int, output: Path, variant: str | None, size: int | None, seed: int
) -> None:
    """Generate a labeled data set with ground-truth masks: KIND is shapes or layers.

    Writes a folder for each class, masks of what decides the class, masks of what doesn't, and a dataset.json. `train`
    and `run` take the folder as it is, with its masks.

    \b
    shapes   one of five colored shapes, among distracting strokes and blots
    layers   striped layers with a patch in which the stripes are shifted: is it above or below the line?
             gray        the scene
             annotated   line, decoys and outline of the patch on white
             shift       line and outline alone
             marked      the scene with the patch outlined
             misleading  the scene with a mark that correlates with the class without causing it

    \b
    Examples:
        cnnvis-report make-dataset layers -n 1000 -o gray
        cnnvis-report make-dataset layers -n 200 -o gray-test --seed 1
    """
    from cnnvis_report.synthetic.write import check_request, write_set

    dataset, chosen, side = check_request(kind, count, variant, size)
    console = finish.console_of(terminal)
    with console.progress("Generate", count):
        write_set(dataset, count, output, variant=chosen, side=side, seed=seed, progress=console)
    click.echo(f"Wrote {output}")
