"""Files and folders that a command writes where the user says: what may be there already."""

import mmap
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import beside, blocked_by, is_regular, sweep
from cnnvis_report.store.files.lock import lock_of
from cnnvis_report.store.files.names import BUILDING


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
    if path.exists() and not (is_regular(path) and _holds(path, mark.encode())):
        raise BadRequest(f"{path}: isn't {what} that this program has written, and isn't overwritten. Move it away.")


@contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """A name to write to, as `beside` gives it; what a killed program has left half written is gone.

    Where somebody else is writing the same file, what they are at stays, and the last one's file is there at the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with suppress(BadRequest):
            stack.enter_context(lock_of(path.with_name(f".{path.name[:200]}.lock"), str(path)))
            sweep(path.parent, re.compile(re.escape(path.name[:200])))
        yield stack.enter_context(beside(path))


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder within the folder, for what isn't all there yet, removed afterwards."""
    building = folder / f".pages-{secrets.token_hex(4)}"
    building.mkdir()
    try:
        yield building
    finally:
        rmtree(building, ignore_errors=True)


def left_aside(folder: Path) -> list[Path]:
    """Such folders that killed programs have left."""
    entries = (path for path in folder.iterdir() if BUILDING.fullmatch(path.name))
    return [path for path in entries if path.is_dir() and not path.is_symlink()]


def _holds(path: Path, mark: bytes) -> bool:
    """Whether a mark is anywhere in a file, of any size."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(mark) >= 0


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
