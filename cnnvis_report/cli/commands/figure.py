"""`cnnvis-report figure`: rows of images by columns of methods as one picture."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.dependent import from_variable
from cnnvis_report.cli.options.options import argument, configured, option
from cnnvis_report.cli.stored_run import refused_as
from cnnvis_report.cli.terminal.announce import write_text
from cnnvis_report.errors import BadRequest, printable
from cnnvis_report.report.figure.config import PREDICTION, FigureConfig
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import File


@click.command(cls=GroupedCommand, short_help="Draw maps of a stored run as a figure for a paper.")
@argument(
    "runs",
    kind=File(),
    nargs=-1,
    required=True,
    metavar="RUN...",
    description="The folder of a report; of several, each is a column.",
)
@option(
    "-o",
    "--output",
    group=Group.REPORT,
    kind=File(),
    default="figure.pdf",
    metavar="FILE",
    help="The figure, as .pdf, .svg or .png. A PDF needs matplotlib: pip install 'cnnvis-report[figures]'.",
)
@configured(FigureConfig, prefix="CNNVIS_REPORT_FIGURE_")
@option(
    "--caption",
    "latex_file",
    group=Group.REPORT,
    kind=File(),
    metavar="FILE|-",
    help="Write the figure with its caption as LaTeX to a file, or to the terminal.",
)
def figure(config: FigureConfig, runs: tuple[Path, ...], output: Path, latex_file: Path | None) -> None:
    """Draw rows of images by columns of methods of the stored RUN as one figure, and say its caption.

    Without names, the rows are the predictions that say most of the network, and the columns the best method of each
    family. With two to six runs of the same images, the columns are the runs, and the rows the images that changed.
    Neither the model nor torch is needed; nothing in the folders, which may be somebody else's, is executed.

    \b
    Examples:
        cnnvis-report figure report -o figure.pdf
        cnnvis-report figure report -o figure.svg --images cats/a.jpg,b.jpg --methods grad_cam,cam --width 88mm
        cnnvis-report figure old-report new-report -o what-changed.pdf --methods grad_cam
    """
    from cnnvis_report.report.figure.caption import latex
    from cnnvis_report.report.figure.save import check_target

    to_file = latex_file if latex_file is not None and str(latex_file) != "-" else None
    if to_file is not None:
        check_target(to_file)
    text = _compared(runs, output, config) if len(runs) > 1 else _drawn(runs[0], output, config)
    as_latex = latex(text, config.width_mm, output.name)
    click.echo(printable(f"Wrote {output}"))
    if latex_file is None:
        click.echo(printable(text))
    elif to_file is None:
        click.echo("\n".join(map(printable, as_latex.splitlines())))
    else:
        write_text(to_file, as_latex)


def _drawn(run: Path, output: Path, config: FigureConfig) -> str:
    """Write the figure of a run; its caption."""
    from cnnvis_report.report.figure.caption import caption
    from cnnvis_report.report.figure.save import save_figure
    from cnnvis_report.store.files.names import COMPARISON
    from cnnvis_report.store.run_folder import load_run

    if (run / COMPARISON).is_file():
        raise BadRequest(f"{run}: holds a comparison. Give the runs that were compared: cnnvis-report figure OLD NEW.")
    stored = load_run(run)
    with refused_as(f"{run}: no figure can be made of it"):
        return caption(save_figure(stored, output, config))


def _compared(runs: Sequence[Path], output: Path, config: FigureConfig) -> str:
    """Write the figure of a comparison of runs; its caption."""
    from cnnvis_report.comparison.read import load_runs, write_compared
    from cnnvis_report.report.comparison.figure import save_comparison_figure
    from cnnvis_report.report.comparison.report import ComparedReport
    from cnnvis_report.report.figure.save import check_target

    check_target(output)
    if config.target != PREDICTION and not from_variable("target"):
        raise BadRequest(f"--class {config.target}: maps of several runs are of the class that the comparison chooses.")
    stored = load_runs(runs)
    with TemporaryDirectory() as folder, refused_as(f"{', '.join(map(str, runs))}: no figure can be made of them"):
        return save_comparison_figure(ComparedReport(write_compared(stored, Path(folder)), stored), output, config)
