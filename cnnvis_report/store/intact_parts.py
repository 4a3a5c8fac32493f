"""Which parts of a run are as they were written: every byte of their files, and what the bytes say."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, RunRecord
from cnnvis_report.store.array_files.array_checks import wrong_arrays, wrong_inspection
from cnnvis_report.store.array_files.arrays import read_arrays
from cnnvis_report.store.array_files.shards import ShardReader
from cnnvis_report.store.files.names import SNAPSHOTS, arrays_name, file_of, inspection_name, place, shard_name
from cnnvis_report.store.journal import Done


def whole_results(folder: Path, results: Iterable[Done]) -> Iterator[Done]:
    """Those images that are done whose arrays are whole, in order; few of them are held at a time."""
    shards = ShardReader()

    def is_whole(result: Done) -> bool:
        image = result.image
        name = shard_name(image.shard) if result.sharded and image.shard is not None else arrays_name(image.id)
        try:
            place(folder, name)
            if result.sharded and image.shard is not None:
                arrays = shards.read(folder, image.shard, image.id, result.stored)
            else:
                arrays = read_arrays(folder, name, result.stored)
        except BadRequest:
            return False
        return not wrong_arrays(image, arrays)

    workers = min(4, os.cpu_count() or 1)
    waiting: deque[tuple[Done, Future[bool]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for result in results:
            waiting.append((result, pool.submit(is_whole, result)))
            if len(waiting) > workers:
                first, whole = waiting.popleft()
                yield from [first] if whole.result() else []
        for first, whole in waiting:
            yield from [first] if whole.result() else []


def whole_images(folder: Path, run: RunRecord, images: Iterable[ImageRecord]) -> Iterator[ImageRecord]:
    """Those images of a complete run whose arrays are whole, in order; all of them where the run keeps no arrays."""
    if run.keep is Keep.NONE:
        yield from images
        return
    for result in whole_results(folder, (as_done(run, image) for image in images)):
        yield result.image


def as_done(run: RunRecord, image: ImageRecord) -> Done:
    """An image of a complete run, as a journal has it."""
    return Done(image, {}, {}, run.files[file_of(image)], sharded=image.shard is not None)


def inspection_is_whole(folder: Path, name: str, run: RunRecord) -> bool:
    """Whether the file from within the network, or of its snapshots, is among the run's and is what was written.

    A run that keeps no arrays misses none.
    """
    if run.keep is Keep.NONE:
        return True
    file = inspection_name(name)
    try:
        place(folder, file)
        arrays = read_arrays(folder, file, run.files[file]) if file in run.files else None
    except BadRequest:
        return False
    return arrays is not None and (name == SNAPSHOTS or not wrong_inspection(run.inspection, name, arrays))
