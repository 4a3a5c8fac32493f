"""Single files that a command writes where the user says."""

from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.atomic import blocked_by, is_regular


def check_output(path: Path, mark: str, what: str) -> None:
    """Refuse to write over anything but what an earlier call has written.

    Args:
        mark: a text that every such file has. what: such as "a figure".

    Raises:
        BadRequest: saying what is there.
    """
    blocking = blocked_by(path)
    if blocking is not None:
        raise BadRequest(f"{path}: {blocking} is a file, and no folder can be made in it.")
    if path.is_dir():
        raise BadRequest(f"{path}: is a folder; give the name of a file.")
    if path.is_symlink():
        raise BadRequest(f"{path}: is a link, and what it leads to isn't overwritten. Give another name.")
    if path.exists() and not (is_regular(path) and mark.encode() in path.read_bytes()):
        raise BadRequest(f"{path}: isn't {what} that this program has written, and isn't overwritten. Move it away.")
