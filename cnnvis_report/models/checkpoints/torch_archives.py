"""The archives that PyTorch saves whole networks in, looked into before anything in them is loaded."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.models.checkpoints.limits import check_limits


def names_in(path: Path) -> list[str]:
    """The names in an archive; none where it isn't one, or can't be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError):
        return []


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive within the limits; whatever goes wrong while it is read is damage.

    Raises:
        BadRequest: it can't be read.
    """
    check_limits(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except BadRequest:
        raise
    except Exception as error:
        raise BadRequest(f"{path}: is damaged: it can't be read ({told(error)}). Copy or download it again.") from error
