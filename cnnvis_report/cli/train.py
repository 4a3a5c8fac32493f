"""The commands that come before a model is there: drawing data, and training."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnvis_report.cli.finish import claim, console_of, finish, look_at_all
from cnnvis_report.cli.options import A_FILE, A_NAME, CONFIG, DEVICE, QUIET, SINGLE
from cnnvis_report.cli.params import STOPPED, names_in
from cnnvis_report.cli.types import Count, OneOf, Real, Text, Whole

if TYPE_CHECKING:
    from cnnvis_report.cli.console import Console
    from cnnvis_report.training.train import Trained

EXPLAINED = 100  # images that the report of a training explains at most; `run` explains more
ALL_CLASSES_UP_TO = 10


@click.command()
@click.argument("kind", metavar="KIND", type=Text())
@click.option("-n", "--count", type=Count(1, 100_000_000), default=1000, show_default=True, help="How many pictures.")
@click.option("-o", "--output", type=A_FILE, required=True, help="The folder of the set.")
@click.option(
    "--variant",
    type=Text(),
    metavar="NAME",
    help="Of layers: gray (the default), annotated, shift, marked, misleading.",
)
@click.option("--size", type=Count(1), metavar="SIDE", help="Pixels a side; 80 for shapes, 213 for layers.")
@click.option("--seed", type=Count(0), default=0, show_default=True, help="Another seed, other pictures.")
@QUIET
def draw(kind: str, count: int, output: Path, variant: str | None, size: int | None, seed: int, quiet: bool) -> None:
    """Draw a data set whose answers are known: KIND is shapes or layers.

    Writes class folders, masks of what decides the class, masks of what doesn't, and a dataset.json. `train` and
    `run` take the folder as it is, with its masks.

    \b
    shapes   one of five colored shapes, among strokes and blots
    layers   striped layers, and a patch in which the stripes are shifted: above or below the line?
             gray        the scene
             annotated   line, decoys and the patch's outline on white
             shift       line and outline alone
             marked      the scene with the patch outlined
             misleading  the scene with a mark that goes with the class and isn't its cause

    \b
    Examples:
        cnnvis-report draw layers -n 1000 -o gray
        cnnvis-report draw layers -n 200 -o gray-test --seed 1
    """
    from cnnvis_report.synthetic.write import check_request, write_set

    found, chosen, side = check_request(kind, count, variant, size)
    console = console_of({"quiet": quiet})
    with console.progress("Draw", count):
        write_set(found, count, output, variant=chosen, side=side, seed=seed, advance=console.done)
    click.echo(f"Wrote {output}")


@click.command()
@click.argument("images", type=A_FILE)
@click.option("-o", "--output", type=A_FILE, default="model.pt", show_default=True, help="The file of the model.")
@click.option(
    "--arch",
    type=Text(),
    default="small",
    show_default=True,
    metavar="NAME",
    help="small, or a torchvision classifier, such as resnet18.",
)
@click.option(
    "-w",
    "--weights",
    type=A_NAME,
    metavar="FILE|none",
    help="What the network was taught before: a file, or none. Default: torchvision's own; none for small.",
)
@click.option("--test", type=A_FILE, help="A folder of images that are neither trained on nor chosen by.")
@click.option(
    "--split", type=Real(0, 0.99), default=0.2, show_default=True, help="The share of each class for validation."
)
@click.option(
    "--size",
    type=Text(numbers=True),
    metavar="SIZE",
    help="A side or HEIGHTxWIDTH. Default: the pictures' own up to 128, else 128; what the weights expect.",
)
@click.option(
    "--channels",
    type=Text(numbers=True),
    default="auto",
    show_default=True,
    metavar="1|3|auto",
    help="Gray or color; auto looks.",
)
@click.option("--epochs", type=Count(1, 1_000_000), default=25, show_default=True, help="Rounds through the images.")
@click.option("--batch-size", type=Count(2, 1_000_000), default=32, show_default=True, help="Images a step.")
@click.option("--lr", "rate", type=Real(0, 10), help="Learning rate. Default: what suits --arch.")
@click.option(
    "--augment",
    type=OneOf(["none", "turns", "light", "strong"]),
    default="light",
    show_default=True,
    help="light moves, turns and brightens a little; strong mirrors, zooms, colors and covers too: for photographs; "
    "turns mirrors and turns by quarters: for what has no up.",
)
@click.option(
    "--head",
    type=OneOf(["linear", "gap"]),
    default="linear",
    show_default=True,
    help="linear is the architecture's own; gap a convolution, global average pooling and a linear layer, on a "
    "backbone that stays as it is where it was taught before.",
)
@click.option(
    "--freeze",
    type=Text(),
    metavar="LAYER",
    help="Leave this layer and all before it as they are; or backbone, or none.",
)
@click.option("--balance", is_flag=True, help="Let images of rare classes count more, so that classes count alike.")
@click.option(
    "--patience",
    type=Count(0),
    default=10,
    show_default=True,
    help="Stop after so many epochs without a better one; 0 for never.",
)
@click.option("--seed", type=Count(0), default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--snapshots", type=Whole(), default="", metavar="N,N,…", help="Keep the network after these epochs too.")
@DEVICE
@CONFIG
@click.option("--report", type=A_FILE, metavar="DIR", help="Go straight on to a report on the images held back.")
@click.option(
    "-m",
    "--methods",
    type=Text(several=True, empty=True),
    default="standard",
    show_default=True,
    metavar="NAMES",
    help="Of the report, as in run.",
)
@SINGLE
@click.option("--open", "open_page", is_flag=True, help="Show the first page of the report in the browser.")
@QUIET
def train(report: Path | None, methods: str, **given: Any) -> None:
    """Train a network on IMAGES, a folder with a sub-folder for each class.

    A part of each class is put aside for validation, and the epoch that answers most of it right is kept; a --test
    set chooses nothing. The file holds all that `run` needs. Ctrl-C ends the training with the best epoch so far.

    \b
    Examples:
        cnnvis-report train photos/ -o model.pt --report report
        cnnvis-report train photos/ -o model.pt --arch resnet18 --head gap --augment strong --test others/
        cnnvis-report train digits/ -o digits.pt --snapshots 1,5,10,25 --report digits-report
    """
    from cnnvis_report.cli.console_training import Reporter
    from cnnvis_report.engine.devices import choose_device
    from cnnvis_report.methods.registry import select
    from cnnvis_report.training.train import TrainConfig, train

    if report is not None:
        claim(report)
        select(names_in(methods))
    device = choose_device(given["device"])
    wanted = ("images", "output", "arch", "weights", "test", "split", "size", "channels", "epochs", "batch_size")
    more = ("rate", "augment", "head", "freeze", "balance", "patience", "seed", "snapshots")
    order = TrainConfig(**{name: given[name] for name in (*wanted, *more)})
    console = console_of(given)
    with Reporter(console) as reporter:
        trained = train(order, device, reporter)
    reporter.result(trained)
    click.echo(f"Wrote {order.output}")
    if trained.interrupted:
        click.get_current_context().exit(STOPPED)
    if report is not None:
        _report(trained, order.output, report, methods, console, given)


def _report(
    trained: "Trained", file: Path, output: Path, methods: str, console: "Console", given: dict[str, Any]
) -> None:
    """The report on images that the network wasn't trained on; all classes of each where they are few."""
    from cnnvis_report.models.load import load_model
    from cnnvis_report.pipeline.config import RunConfig
    from cnnvis_report.pipeline.setup import study_of

    classes = len(trained.model.classes)
    choice = f"top:{classes if classes <= ALL_CLASSES_UP_TO else 3}"
    judged = given["test"] or given["images"]
    request = RunConfig(
        file.name,
        (judged,),
        methods=names_in(methods),
        classes=choice,
        device=given["device"],
        seed=given["seed"],
    )
    study = study_of(load_model(str(file)), lambda _: trained.judged, request)
    if len(study.images) > EXPLAINED:
        study = look_at_all(study, "all", EXPLAINED, console)
    finish(
        study, output, console, {"single_file": given["single_file"], "open_page": given["open_page"], "strict": False}
    )
