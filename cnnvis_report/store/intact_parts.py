"""Which parts of a run, complete or left by an earlier start, are as they were written: every byte of their files."""

import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, RunRecord
from cnnvis_report.store.array_files.array_checks import wrong_arrays, wrong_inspection
from cnnvis_report.store.array_files.arrays import read_arrays
from cnnvis_report.store.array_files.shards import ShardReader
from cnnvis_report.store.files.atomic import is_regular
from cnnvis_report.store.files.names import (
    INSPECTION,
    MANIFEST,
    SNAPSHOTS,
    arrays_name,
    file_of,
    inspection_name,
    place,
    shard_name,
)
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file
from cnnvis_report.store.journal import Done, begun, journal_lines
from cnnvis_report.store.manifest import ImagesLeft, images_in, read_head


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


def earlier_results(folder: Path, images: Collection[str]) -> Iterator[Done]:
    """The images that an earlier start has done, and whose arrays are whole; of these ids."""
    results: Iterator[Done] = iter(())
    if begun(folder):
        results = journal_lines(folder)
    elif is_regular(folder / MANIFEST):
        results = _of_manifest(folder)
    yield from whole_results(folder, (result for result in results if result.image.id in images))


def _of_manifest(folder: Path) -> Iterator[Done]:
    """The images of a manifest that isn't whole, or whose files aren't."""
    for number, image in enumerate(ImagesLeft(folder)):
        if not number:
            run, _ = read_head(folder / MANIFEST)
        yield as_done(run, image)


def is_complete(folder: Path, images: Mapping[str, str]) -> bool:
    """Whether a whole manifest is there, with every image of these ids and names, or the reason why it isn't there."""
    path = folder / MANIFEST
    try:
        run, true = read_head(path)
        if not true or run.left_out:
            return False
        listed = {image.id for image in images_in(path, run)}
    except OSError as error:
        raise_unless_of_the_file(error)
        return False
    except BadRequest:
        return False
    skipped = Counter(file.name for file in run.skipped)
    missing = Counter(name for image, name in images.items() if image not in listed)
    if not (listed <= images.keys() and missing <= skipped):
        return False
    inside = [Path(name).stem for name in run.files if name.startswith(f"{INSPECTION}/")]
    return all(inspection_is_whole(folder, name, run) for name in inside) and len(listed) == sum(
        1 for _ in whole_images(folder, run, images_in(path, run))
    )
