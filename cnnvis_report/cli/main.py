"""The command line: parse, one call, say what was written.

torch is imported by the commands that need it, so that `--help` answers at once and `render` works without it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cnnvis_report import __version__
from cnnvis_report.cli.finish import claim, console_of, finish, look_at_all
from cnnvis_report.cli.malloc import keep_memory
from cnnvis_report.cli.options import A_FILE, A_NAME, EXPLAIN, EXPLAINING, LOADED, LOADING, OUTPUT, SINGLE, WHERE
from cnnvis_report.cli.params import Commands, method_options, names_in, note_verbose, printable
from cnnvis_report.cli.train import draw, train
from cnnvis_report.cli.types import Count, FileName, OneOf, Text
from cnnvis_report.errors import BadRequest, CnnVisError, brief
from cnnvis_report.store.names import MANIFEST


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="cnnvis-report")
def cli() -> None:
    """What does a convolutional network look at? Every explanation, in a site that opens offline.

    \b
    Without a model and without data:
        cnnvis-report demo -o demo-report
    With your own:
        cnnvis-report run resnet50 photos/ -o report
    With images and no model:
        cnnvis-report train photos/ -o model.pt --report report
    """
    keep_memory()


cli.add_command(train)
cli.add_command(draw)


@cli.command()
@click.argument("model", type=A_NAME)
@click.argument("images", nargs=-1, required=True, type=A_FILE)
@click.option("-o", "--output", type=A_FILE, default="report", show_default=True, help="The folder of the report.")
@click.option(
    "--only",
    type=OneOf(["all", "wrong", "right"]),
    default="all",
    show_default=True,
    help="Look at every image first, and explain those alone that are answered wrong, or right.",
)
@LOADING
@EXPLAIN
@WHERE
@OUTPUT
def run(model: str, images: tuple[Path, ...], output: Path, methods: str, only: str, **given: Any) -> None:
    """Explain what MODEL sees in IMAGES, and write a report.

    MODEL is a file that 'cnnvis-report train' has written, a torchvision classifier (resnet50,
    resnet50@IMAGENET1K_V2), with --weights for a file of your own, or package.module:factory for a network of your
    own. IMAGES are files, folders and lists (.txt, .csv, .tsv).

    \b
    Examples:
        cnnvis-report run resnet50 photos/ -o report
        cnnvis-report run resnet18 birds/ --weights birds.pth --class-names birds.txt
        cnnvis-report run mynet:build photos/ --size 128 --methods grad_cam,smoothgrad --classes label
        cnnvis-report run resnet50 photos/ --layer layer2 --layer layer4 --single-file
        cnnvis-report run model.pt photos/ --only wrong

    A run that was stopped goes on where it was when the same command is given again.
    """
    from cnnvis_report.data.limit import Limit
    from cnnvis_report.pipeline.config import RunConfig
    from cnnvis_report.pipeline.setup import open_study

    claim(output)
    loading = {name: given[name] for name in LOADED}
    request = RunConfig(model, images, **loading, **_explaining(methods, given))
    console = console_of(given)
    # with --only, the limit is of the selection, which a look at all images finds
    study = open_study(request if only == "all" else replace(request, limit=None))
    if only != "all":
        limit = Limit(request.limit, request.limit_order, request.seed) if request.limit is not None else None
        study = look_at_all(study, only, None, console, limit)
    finish(study, output, console, given)


@cli.command()
@click.argument("model", type=A_NAME)
@click.argument("images", nargs=-1, type=A_FILE)
@click.option(
    "-o", "--output", type=A_FILE, default="inside-report", show_default=True, help="The folder of the report."
)
@click.option(
    "--views",
    type=OneOf(["standard", "all"]),
    default="standard",
    show_default=True,
    help="How much: all takes more images, channels and steps, and inverts features.",
)
@click.option(
    "--prefer",
    type=Text(),
    multiple=True,
    metavar="WHAT",
    help="Make preferred inputs of this: a class, LAYER:CHANNEL or LAYER:CHANNEL:ROW,COLUMN; several with + between "
    "them for their mean. Repeatable. Default: the classes of most images.",
)
@click.option(
    "--form",
    type=OneOf(["fourier", "pixels"]),
    default="fourier",
    show_default=True,
    help="Of preferred inputs: a spectrum under random transformations, or pixels under total variation.",
)
@click.option(
    "--start",
    type=OneOf(["noise", "image"]),
    default="noise",
    show_default=True,
    help="Of preferred inputs: from noise, or from the best image of the set.",
)
@LOADING
@WHERE
@OUTPUT
def inside(model: str, images: tuple[Path, ...], output: Path, views: str, **given: Any) -> None:
    """Show what the layers of MODEL hold, and what IMAGES do to them, without explaining any prediction.

    Filters, feature maps, each layer as one picture, projections, top images, preferred inputs, channel health and
    class score maps. Without IMAGES: filters, and preferred inputs of what --prefer names.

    \b
    Examples:
        cnnvis-report inside resnet50 photos/ -o inside-report
        cnnvis-report inside resnet50 photos/ --unit layer4:7 --unit layer3:12:5,6
        cnnvis-report inside vgg16 --prefer goldfish --prefer features.28:7+12
    """
    from cnnvis_report.pipeline.config import RunConfig
    from cnnvis_report.pipeline.setup import open_study

    claim(output)
    loading = {name: given[name] for name in LOADED}
    chosen = {
        name: given[name] for name in ("classes", "device", "batch_size", "seed", "units", "prefer", "form", "start")
    }
    request = RunConfig(model, images, methods=(), inside=views, **loading, **chosen)
    finish(open_study(request), output, console_of(given), given)


@cli.command()
@click.option("-o", "--output", type=A_FILE, default="demo-report", show_default=True, help="The folder of the report.")
@click.option("-n", "--images", type=Count(1, 300), default=36, show_default=True, help="How many to explain.")
@EXPLAIN
@WHERE
@OUTPUT
def demo(output: Path, images: int, methods: str, **given: Any) -> None:
    """Draw pictures, train a small network on them, and report on it: no model, no data needed.

    Each picture holds one of five shapes, on textured ground and among strokes and blots; where the shape is, is
    known, so the report shows which methods point at it. Takes about a minute on two cores.

    \b
    Example:
        cnnvis-report demo -o demo-report --open
    """
    from cnnvis_report.cli.console_training import Reporter
    from cnnvis_report.pipeline.config import RunConfig
    from cnnvis_report.pipeline.setup import study_of
    from cnnvis_report.training.demo import demonstrate

    claim(output)
    console = console_of(given)
    request = RunConfig("demo", (), **_explaining(methods, given))
    with Reporter(console) as reporter:
        shown = demonstrate(images, request.seed, reporter)
    console.say(f"Trained   a small network on drawn pictures: {shown.accuracy:.1%} right on those held out")
    finish(study_of(shown.model, lambda _: shown.images, request), output, console, given)


@cli.command()
@click.argument("run", type=FileName(exists=True, file_okay=False, path_type=Path))
@SINGLE
@click.option("--repair", is_flag=True, help="Leave out what got damaged, and write the pages of the rest.")
@click.option("--open", "open_page", is_flag=True, help="Show the first page in the browser.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    callback=note_verbose,
    expose_value=False,
    help="Show the traceback where pages can't be made.",
)
def render(run: Path, single_file: bool, repair: bool, open_page: bool) -> None:
    """Write the pages of a stored RUN again; needs neither the model nor a GPU, nor torch.

    The folder may be somebody else's: nothing in it is run, and nothing outside it is written or removed. A run that
    got damaged is refused, with the part that isn't as it was written.

    \b
    Examples:
        cnnvis-report render report --single-file
        cnnvis-report render report --repair
    """
    from cnnvis_report.report.write import write_site
    from cnnvis_report.store.repair import repair as mend
    from cnnvis_report.store.run_folder import load_run

    if (run / MANIFEST).is_file():
        claim(run)
    for said in mend(run) if repair else ():
        click.echo(f"Warning: {printable(said)}", err=True)
    stored = load_run(run)
    try:
        written = write_site(stored, single_file=single_file)
    except (CnnVisError, OSError):
        raise
    except Exception as error:  # every field fits its type, but a stranger may have put anything into them
        said = f"{type(error).__name__}: {brief(error)}"
        raise BadRequest(f"{run}: no pages can be made of what its {MANIFEST} says ({said}).") from error
    click.echo(printable(f"Wrote {written.first_page}"))
    if open_page:
        click.launch(str(written.first_page))


@cli.command()
@click.argument("name", required=False, type=Text())
def methods(name: str | None) -> None:
    """List the explanation methods, or say all about the one called NAME.

    \b
    Example:
        cnnvis-report methods grad_cam
    """
    from cnnvis_report.cli.tables import method_details, methods_table

    click.echo(method_details(name) if name else methods_table())


@cli.command()
@click.argument("model", type=A_NAME)
@click.option(
    "-w",
    "--weights",
    type=A_FILE,
    help="A .pth, .pt or .safetensors file with a state dict; FILE#KEY for what stands under a key of it.",
)
@click.option(
    "--size", type=Text(numbers=True), metavar="SIZE", help="A side (224) or HEIGHTxWIDTH (192x256) of the picture."
)
def layers(model: str, weights: Path | None, size: str | None) -> None:
    """List the layers of MODEL in the order in which they run, with the shapes of their outputs.

    A torchvision network without weights at hand is built with random ones: shapes don't depend on them.

    \b
    Example:
        cnnvis-report layers resnet50
    """
    from cnnvis_report.cli.tables import layers_table

    click.echo(layers_table(model, weights, size))


def _explaining(methods: str, given: dict[str, Any]) -> dict[str, Any]:
    """What `run` and `demo` ask for alike, as the fields of a request."""
    table = click.get_current_context().meta.get("options", {})
    return {
        "methods": names_in(methods),
        "options": method_options(given["settings"], table),
        **{name: given[name] for name in EXPLAINING},
    }
