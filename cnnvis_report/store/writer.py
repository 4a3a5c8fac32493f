"""A run folder that is being written.

While a run goes on, each image that is done becomes a line of `journal.jsonl`, and a run that is stopped goes on
from there. When it is complete, `run.json` takes these lines in, one image a line, so that a run of any size is read
one image at a time. Everything is written beside its place and then moved there: what is in the folder is whole.
"""

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from errno import ENOENT
from pathlib import Path

from cnnvis_report.errors import BadRequest, WentAway
from cnnvis_report.records.identity import Identity, fingerprint
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord, StoredFile
from cnnvis_report.store.array_files.arrays import Arrays, write_arrays
from cnnvis_report.store.array_files.shards import ArrayLayout, merge_shard
from cnnvis_report.store.files.atomic import is_regular, remove, unlink
from cnnvis_report.store.files.names import (
    ARRAYS,
    FITTED,
    INSPECTION,
    JOURNAL,
    MANIFEST,
    arrays_name,
    file_of,
    inspection_name,
    place,
    shard_name,
)
from cnnvis_report.store.intact_parts import earlier_results, is_complete
from cnnvis_report.store.journal import Done, append_lines, journal_line, lines_of, shard_line, start_journal
from cnnvis_report.store.manifest import write_manifest
from cnnvis_report.store.own_files import check_files, check_writable, clear, made_in
from cnnvis_report.store.remains import clear_remains

FILE_EACH = ArrayLayout()


class RunWriter:
    """A run folder that is being written; whoever makes one holds the lock of the folder.

    Args:
        folder: where; made if it isn't there.
        identity: what decides the results.
        images: names of all images of this run by their ids, in order.
        resume: whether the folder holds what an earlier start of this run has left, which is kept; what another run has
            left is removed.
        files: what files are known to hold, as `manifest.remembered` gives it.
        layout: how arrays stand in files.

    Raises:
        BadRequest: the folder holds something else.
    """

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        images: Mapping[str, str],
        *,
        resume: bool,
        files: Mapping[str, str] | None = None,
        layout: ArrayLayout = FILE_EACH,
    ) -> None:
        check_writable(folder)
        check_files(folder)
        self.folder, self.layout = folder, layout
        self._ids = list(images)
        self._order = {image: position for position, image in enumerate(self._ids)}
        self._run = fingerprint(identity)
        self._files: dict[str, StoredFile] = {}
        self._lines = array("q", [0]) * len(self._ids)  # at which byte of the journal the line of each image begins
        self._seconds: Counter[str] = Counter()
        if not resume:
            clear(folder)
        for inner in (ARRAYS, INSPECTION):
            (folder / inner).mkdir(parents=True, exist_ok=True)
        self._identity = _identity(folder)
        self.done: set[str] = set()
        self.complete = is_complete(folder, images)
        self.damaged = is_regular(folder / MANIFEST) and not self.complete
        if self.complete:
            self._tidy()
        else:
            earlier = self._counted(earlier_results(folder, self._order))
            self._note_lines(start_journal(folder, identity, files or {}, earlier))
            unlink(folder / MANIFEST)

    def add(
        self, image: ImageRecord, arrays: Arrays, seconds: Mapping[str, float], files: Mapping[str, str] | None = None
    ) -> None:
        """Write one image's arrays, then its line in the journal, which says that the arrays are whole.

        The arrays have a file of their own, until `close_shard` moves them into that of their shard, if they have one.

        seconds: what each method took on it. files: what its files are remembered by.

        Raises:
            WentAway: the folder is gone. OSError: the disk is full, say.
        """
        image = replace(image, shard=self.shard_of(image.id))
        with self._there():
            path = place(self.folder, arrays_name(image.id))
            stored = write_arrays(path, arrays, deflated=self.layout.deflated)
            self._append([Done(image, dict(seconds), dict(files or {}), stored)])

    def add_shard(
        self,
        number: int,
        images: Sequence[ImageRecord],
        stored: StoredFile,
        seconds: Sequence[Mapping[str, float]],
        files: Sequence[Mapping[str, str]],
    ) -> None:
        """Take in a shard that `write_shard` has written into the folder.

        seconds, files: as of `add`, image by image.

        Raises:
            WentAway: the folder, or the shard's file, is gone. BadRequest: an image isn't of this shard.
        """
        strange = next((image.id for image in images if self.shard_of(image.id) != number), None)
        if strange is not None:
            raise BadRequest(f"{self.folder}: the image {strange!r} isn't of shard {number} of this run.")
        with self._there():
            if not _has_size(self.folder / shard_name(number), stored):
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(self.folder / shard_name(number)))
            rows = zip(images, seconds, files, strict=True)
            self._append([Done(image, dict(of), dict(by), stored, sharded=True) for image, of, by in rows])

    def close_shard(self, number: int) -> None:
        """Move the arrays of a shard's images, all that there will be, into its file.

        Raises:
            WentAway: the folder is gone. OSError: the disk is full, say.
        """
        images = [image for image in self._ids[self.layout.positions(number)] if image in self.done]
        single = [arrays_name(image) for image in images if arrays_name(image) in self._files]
        if not single:
            return
        with self._there():
            stored = merge_shard(self.folder, number, images)
            append_lines(self.folder, [shard_line(number, stored, self._run)])
            self._files[shard_name(number)] = stored
            for name in single:
                del self._files[name]
            remove(self.folder, single)

    def shard_of(self, image: str) -> int | None:
        """The number of the shard that an image of the run belongs to; None where it has a file of its own."""
        return self.layout.shard_of(self._order[image])

    def add_inspection(self, name: str, arrays: Arrays) -> None:
        """Write what was found inside the network, of an image or of itself.

        Raises:
            WentAway: the folder is gone. OSError: the disk is full, say.
        """
        with self._there():
            self._files[inspection_name(name)] = write_arrays(
                place(self.folder, inspection_name(name)), arrays, deflated=True
            )

    def seconds(self) -> dict[str, float]:
        """What each method has taken on all images that are done, in earlier starts too."""
        return dict(self._seconds)

    def images(self) -> Iterator[ImageRecord]:
        """The records of the images that are done, in earlier starts too, in the set's order, read one by one."""
        return lines_of(self.folder, (start for start in self._lines if start), self._run)

    def finish(self, run: RunRecord) -> None:
        """Write the manifest, after a look at whether everything is there; the journal and what was fitted have served.

        Raises:
            WentAway: something of it is gone.
        """
        with self._there():
            for number in range(self.layout.shards(len(self._ids))):
                self.close_shard(number)
            lost = next((name for name, file in self._files.items() if not _has_size(self.folder / name, file)), None)
            if lost is not None:
                raise WentAway(f"{self.folder / lost}: went away while the run went on. Start it again.")
            run = replace(run, images=len(self.done), files=dict(sorted(self._files.items())), keep=self.layout.keep)
            write_manifest(self.folder, run, self.images())
        remove(self.folder, [arrays_name(image) for image in self.done if self.shard_of(image) is not None])
        self._tidy()

    def abandon(self) -> None:
        """Where not one image was done there is nothing to go on from: leave the folder as it was found."""
        if not self.done and not self.complete and _identity(self.folder) == self._identity:
            clear(self.folder)

    def _append(self, results: Sequence[Done]) -> None:
        """Put images that are done at the end of the journal, and count them."""
        starts = append_lines(self.folder, (journal_line(result, self._run) for result in results))
        self._note_lines({result.image.id: start for result, start in zip(self._counted(results), starts, strict=True)})

    def _note_lines(self, starts: Mapping[str, int]) -> None:
        """Note at which bytes of the journal the lines of images begin that are done."""
        for image, start in starts.items():
            self._lines[self._order[image]] = start
            self.done.add(image)

    def _counted(self, results: Iterable[Done]) -> Iterator[Done]:
        """The images, each counted in with its file and what it took."""
        for result in results:
            self._files[file_of(result.image) if result.sharded else arrays_name(result.image.id)] = result.stored
            self._seconds.update(result.seconds)
            yield result

    def _tidy(self) -> None:
        """Remove what has served when the manifest is there."""
        remove(self.folder, [JOURNAL, *made_in(self.folder, FITTED)])
        for inner in (ARRAYS, INSPECTION):
            with suppress(OSError):  # there may be something in it
                (self.folder / inner).rmdir()

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Say in one line that the folder is gone, where it is; it is never made anew in the middle of a run."""
        try:
            if _identity(self.folder) != self._identity:
                raise FileNotFoundError
            yield
        except FileNotFoundError as error:
            clear_remains(self.folder)
            missing = self.folder if _identity(self.folder) != self._identity else error.filename
            raise WentAway(f"{missing}: went away while the run went on. Start the run again.") from error


def _identity(folder: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = folder.stat()
        return status.st_dev, status.st_ino
    return None


def _has_size(path: Path, stored: StoredFile) -> bool:
    return is_regular(path) and path.stat().st_size == stored.bytes
