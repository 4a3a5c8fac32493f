"""The folder that maps are exported into: filled as a whole or not at all; what a killed program has left is known."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import files_below, is_regular, read_json, remove, within, write_json
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import ID, LOCK
from cnnvis_report.store.files.output_file import aside, check_output_folder, left_aside

MOVING = "moving.json"  # in the folder aside: what goes into the folder, written when all of it is there
MOST = 256 << 20  # bytes of that list
ENDINGS = "npz|npy|tiff|csv|png|h5|json|yaml"
_NAME = re.compile(rf"(?:{ID}/)?[^\W_][\w.@#+-]{{0,240}}\.(?:{ENDINGS})")


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A folder aside, whose files are in an empty folder afterwards; that is empty, or gone, where something fails.

    Raises:
        BadRequest: the folder holds something, or somebody else is filling it.
    """
    check_folder(folder)
    with writing(folder):
        check_folder(folder)
        for left in left_aside(folder):
            remove(folder, _listed(left))
            rmtree(left)
        with aside(folder) as building:
            yield building
            _move(building, folder)


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        BadRequest: saying so.
    """
    check_output_folder(folder, "-o")
    if not folder.is_dir():
        return
    asides = left_aside(folder)
    listed = {name for left in asides for name in _listed(left)}
    ours = {LOCK, *(left.name for left in asides), *listed, *(name.partition("/")[0] for name in listed)}
    inner = {name.partition("/")[0] for name in listed if "/" in name}
    if any(path.name not in ours for path in folder.iterdir()) or any(
        _is_strange(folder / name, listed) for name in inner
    ):
        raise BadRequest(f"-o {folder}: isn't empty, and nothing is overwritten. Give another folder.")


def _is_strange(folder: Path, listed: set[str]) -> bool:
    """Whether the folder of an image's maps is a link, or holds something that isn't listed."""
    if folder.is_symlink() or not folder.is_dir():
        return folder.is_symlink() or folder.exists()
    return any(f"{folder.name}/{path.name}" not in listed or path.is_dir() for path in folder.iterdir())


def _move(building: Path, folder: Path) -> None:
    """Put the files into the folder; where that ends half-way, the list says which of them are ours."""
    names = files_below(building)
    write_json(building / MOVING, names, parents=False)
    try:
        for name in names:
            (building / name).replace(within(folder, name))
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is said
            remove(folder, names)
        raise


def _listed(building: Path) -> list[str]:
    """The files that were on their way out of a folder aside; what isn't called as exported files are isn't one."""
    path = building / MOVING
    names = read_json(path, MOST) if is_regular(path) else None
    return (
        [name for name in names if isinstance(name, str) and _NAME.fullmatch(name)] if isinstance(names, list) else []
    )
