"""What a pickle would make, by the names in it: nothing of it is run or made."""

import zipfile
from pathlib import Path

from cnnvis_report.data.image_file import several
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.limits import check_limits
from cnnvis_report.models.checkpoints.safe_unpickle import globals_in, is_harmless

LISTED = 4
PICKLE = b"\x80"  # protocols from 2 on; a letter in older ones
FIRST = (PICKLE, b"PK", b"c", b"(")


def classes_in(path: Path) -> list[str]:
    """The classes and functions of a pickle that aren't known to be harmless; none where it is no pickle."""
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            start = file.read(2)
        if not start.startswith(FIRST):
            return []
        check_limits(path)
        if start == b"PK" and _is_program(path):
            return []
    except (BadRequest, OSError, zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError):
        return []  # damaged: to read it says so
    return [name for name in globals_in(path) if not is_harmless(name)]


def listed(names: list[str]) -> str:
    """Classes in words, a user's own before PyTorch's."""
    return several(sorted(names, key=lambda name: name.startswith("torch.")), LISTED)


def _is_program(path: Path) -> bool:
    """Whether it is TorchScript, which keeps pickles of its own."""
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
