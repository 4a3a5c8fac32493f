"""A report as a zip file: the same files give the same bytes, and no name in it leads out of its folder."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.array_files.arrays import LARGEST
from cnnvis_report.store.files.atomic import blocked_by, is_regular, open_regular
from cnnvis_report.store.files.output_file import output_file

MARK = b"Made by cnnvis-report"  # the comment of our zip files, by which they are known
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file knows; times of files are no content
PACKED_ALREADY = (".webp", ".png")
LEVEL = 6
READABLE = 0o100644 << 16  # a regular file that everybody may read, as Unix has it
UNIX = 3
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # names that Windows keeps


def write_zip(path: Path, folder: Path, names: Sequence[str]) -> int:
    """Pack files of a folder into a zip file, in a folder of their own within it; its size in bytes.

    Args:
        names: relative to the folder.

    Raises:
        BadRequest: something else is there, or one of the files is a link.
    """
    check_zip(path)
    top = safe_name(path.stem)
    with output_file(path) as temporary:
        with zipfile.ZipFile(temporary, "w", allowZip64=True) as archive:
            archive.comment = MARK
            for name in sorted(names):
                _add(archive, folder / name, f"{top}/{name}")
        return temporary.stat().st_size


def check_zip(path: Path) -> None:
    """Refuse to write over anything but a zip file of ours.

    Raises:
        BadRequest: saying what is there.
    """
    if blocked_by(path) is not None:
        raise BadRequest(f"{path}: {blocked_by(path)} is a file, and no folder can be made in it.")
    if not (path.exists() or path.is_symlink()):
        return
    if is_regular(path) and _is_ours(path):
        return
    raise BadRequest(f"{path}: isn't a zip file that this program has written, and isn't overwritten. Move it away.")


def _is_ours(path: Path) -> bool:
    """Whether a file, of any size, ends as our zip files do."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(MARK)))
        return file.read(len(MARK)) == MARK


def safe_name(name: str) -> str:
    """A name that any system can have for a folder, and that leads nowhere else."""
    plain = re.sub(r"[^\w.-]", "_", name)[:100].strip(".") or "report"
    return f"_{plain}" if RESERVED.fullmatch(plain) else plain


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system, entry.external_attr = UNIX, READABLE
    packed = path.suffix not in PACKED_ALREADY
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    entry._compresslevel = LEVEL  # type: ignore[attr-defined] # public as compress_level from Python 3.13 on
    with open_regular(path, LARGEST) as source:
        entry.file_size = path.stat().st_size
        with archive.open(entry, "w") as target:
            while part := source.read(1 << 20):
                target.write(part)
