"""The arrays of a run removed, once its pages are written."""

from dataclasses import replace
from pathlib import Path

from cnnvis_report.records.run import Keep
from cnnvis_report.store.files.atomic import remove
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import ARRAYS, INSPECTION
from cnnvis_report.store.manifest import write_manifest
from cnnvis_report.store.own_files import made_in
from cnnvis_report.store.run_folder import load_run


def discard_arrays(folder: Path) -> None:
    """Remove the arrays of a complete run, after its manifest says that it keeps none; its other numbers stay.

    Raises:
        BadRequest: the folder holds no complete run, or somebody else is writing there.
    """
    with writing(folder):
        run = load_run(folder)
        files = made_in(folder, ARRAYS, INSPECTION)  # those that an earlier start has left too
        if run.record.keep is not Keep.NONE:
            write_manifest(folder, replace(run.record, keep=Keep.NONE, files={}), run.images())
        remove(folder, files)
