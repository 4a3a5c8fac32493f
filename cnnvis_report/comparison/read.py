"""Runs that are to be compared, read from their folders."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.comparison.checks import check_folders
from cnnvis_report.errors import BadRequest
from cnnvis_report.store.comparison.comparison_file import is_comparison_folder
from cnnvis_report.store.run_folder import StoredRun, load_run


def load_runs(folders: Sequence[Path]) -> list[StoredRun]:
    """Read the runs of several folders.

    Raises:
        BadRequest: too few, too many, the same twice, or a folder without a complete run.
    """
    check_folders(folders)
    return [load_run_to_compare(folder) for folder in folders]


def load_run_to_compare(folder: Path) -> StoredRun:
    """Read one of them.

    Raises:
        BadRequest: the folder holds no complete run, or a comparison.
    """
    if is_comparison_folder(folder):
        raise BadRequest(f"{folder}: holds a comparison, and runs are compared; give the folders of its runs.")
    return load_run(folder)
