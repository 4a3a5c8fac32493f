"""A folder that is written into: whether it can be one at all, whatever is in it."""

from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import blocked_by


def check_output_folder(folder: Path, option: str = "") -> None:
    """Refuse a path where no folder is or can be made, and a link, wherever it leads.

    Links above the folder are somebody's way to arrange disks, and are followed.

    Args:
        option: that names the folder; empty where none does.

    Raises:
        BadRequest: saying what is there.
    """
    named, blocking = f"{option} {folder}".strip(), blocked_by(folder)
    if blocking is not None:
        raise BadRequest(f"{named}: {blocking} is a file, and no folder can be made in it.")
    if folder.is_symlink():
        where, advice = "", "Give another name"
        if folder.is_dir():
            where, advice = f" to {folder.resolve()}", "Give that folder itself, or another name"
        raise BadRequest(f"{named}: is a link{where}, and nothing is written through a link. {advice}.")
    if folder.exists() and not folder.is_dir():
        raise BadRequest(f"{named}: is a file. Give the name of a folder.")
