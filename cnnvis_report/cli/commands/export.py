"""`cnnvis-report export`: the maps of a stored run as files of other programs."""

from pathlib import Path

import click

from cnnvis_report.cli.help import GroupedCommand
from cnnvis_report.cli.options.options import option
from cnnvis_report.cli.stored_run import RUN, refused_as
from cnnvis_report.errors import printable
from cnnvis_report.settings import Group
from cnnvis_report.settings.kinds import Choice, File, Names

CHOICES = ("npz", "npy", "tiff", "csv", "heatmap-png", "virelay")


@click.command(cls=GroupedCommand, short_help="Write maps of a stored run as files of other programs.")
@RUN
@option(
    "--maps",
    "form",
    group=Group.REPORT,
    kind=Choice(CHOICES),
    default="npz",
    help="Format: npz is one file per image, the others one per map; virelay is HDF5 with project files (needs h5py: "
    "pip install 'cnnvis-report[virelay]').",
)
@option("-o", "--output", group=Group.REPORT, kind=File(), default="maps", metavar="DIR", help="A new or empty folder.")
@option(
    "-m",
    "--methods",
    group=Group.REPORT,
    kind=Names(),
    default="",
    metavar="NAMES",
    help="Names of methods with commas between them.  [default: all]",
)
@option(
    "--images",
    group=Group.REPORT,
    kind=Names(),
    default="",
    metavar="NAMES",
    help="Names of images with commas between them.  [default: all]",
)
def export(run: Path, form: str, output: Path, methods: tuple[str, ...], images: tuple[str, ...]) -> None:
    """Write the maps of the stored RUN as files, with a manifest that says what each is.

    The values are those that the run has stored, never scaled; CSV and pictures have one value per position, as pages
    show it. Neither the model nor torch is needed; nothing in the folder, which may be somebody else's, is executed.

    \b
    Examples:
        cnnvis-report export report --maps tiff -o maps
        cnnvis-report export report --maps heatmap-png -m grad_cam,saliency -o heatmaps
    """
    from cnnvis_report.sharing.maps.export import export_maps
    from cnnvis_report.store.run_folder import load_run

    stored = load_run(run)
    with refused_as(f"{run}: its maps can't be written"):
        entries = export_maps(stored, output, form, methods=methods, images=images)
    click.echo(printable(f"Wrote {len(entries)} maps and {output / 'manifest.json'}"))
