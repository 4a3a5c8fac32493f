"""What is left of a folder that somebody deletes while it is written: without the run, it would be nobody's."""

import os
from contextlib import suppress
from pathlib import Path

from cnnvis_report.store.files.atomic import remove
from cnnvis_report.store.files.names import ARRAYS, FITTED, INSPECTION, JOURNAL, MANIFEST, PAGES
from cnnvis_report.store.own_files import made_in, pages_of


def is_abandoned(folder: Path) -> bool:
    """Whether nothing in a folder says any more that it is a run's; False where the disk can't tell."""
    return all(_is_gone(folder / name) for name in (JOURNAL, MANIFEST))


def _is_gone(path: Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # a disk that fails for a moment is no reason to remove anything
        return False
    return False


def clear_remains(folder: Path) -> None:
    """Remove arrays of a run that were written into a folder which is abandoned."""
    if is_abandoned(folder):
        with suppress(OSError):  # what went wrong first is what is said
            remove(folder, made_in(folder, ARRAYS, INSPECTION, FITTED))


def clear_pages(folder: Path) -> None:
    """Remove pages that were written into a folder which is abandoned; those of a run stay."""
    if is_abandoned(folder):
        with suppress(OSError):  # what went wrong first is what is said
            remove(folder, [*pages_of(folder), PAGES])
