"""Runs read from their folders, and compared into the folder of a comparison, with the same memory for any number."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.comparison.checks import check_folders
from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.errors import BadRequest
from cnnvis_report.progress import Progress
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.comparison.comparison_file import is_comparison_folder, load_comparison, new_comparison
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


def write_compared(
    runs: Sequence[StoredRun], folder: Path, title: str | None = None, *, progress: Progress | None = None
) -> Comparison:
    """Compare runs and write the record down; the record, whose images are read from the file when asked for.

    Raises:
        BadRequest: the runs can't be compared.
    """
    with new_comparison(folder, len(runs)) as record:
        record.finish(compare_runs(runs, title, images=record.images, progress=progress))
    return load_comparison(folder)
