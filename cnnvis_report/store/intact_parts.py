"""Which parts of a run are as they were written: every byte of their files, and what the bytes say."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord, StoredFile
from cnnvis_report.store.array_checks import wrong_arrays, wrong_inspection
from cnnvis_report.store.arrays import read_arrays
from cnnvis_report.store.names import SNAPSHOTS, arrays_name, inspection_name, place


def whole_images(folder: Path, images: Iterable[tuple[ImageRecord, StoredFile]]) -> set[str]:
    """The ids of those images whose arrays are whole."""

    def whole(entry: tuple[ImageRecord, StoredFile]) -> str | None:
        image, stored = entry
        name = arrays_name(image.id)
        try:
            place(folder, name)
            return None if wrong_arrays(image, read_arrays(folder, name, stored)) else image.id
        except BadRequest:
            return None

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return {id for id in pool.map(whole, images) if id is not None}


def inspection_is_whole(folder: Path, name: str, run: RunRecord) -> bool:
    """Whether the file from within the network, or of its snapshots, is among the run's and is what was written."""
    file = inspection_name(name)
    try:
        place(folder, file)
        arrays = read_arrays(folder, file, run.files[file]) if file in run.files else None
    except BadRequest:
        return False
    return arrays is not None and (name == SNAPSHOTS or not wrong_inspection(run.inspection, name, arrays))
