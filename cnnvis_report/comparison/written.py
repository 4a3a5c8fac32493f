"""Runs compared into the folder of a comparison, image by image, with the same memory for any number of them."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.progress import Progress
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.comparison.comparison_file import load_comparison, new_comparison
from cnnvis_report.store.run_folder import StoredRun


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
