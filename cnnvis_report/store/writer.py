"""A run folder that is being written.

While a run goes on, each image that is done becomes a line of `journal.jsonl`, and a run that is stopped goes on
from there. When it is complete, `run.json` takes these lines in, one image a line, so that a run of any size is read
one image at a time. Everything is written beside its place and then moved there: what is in the folder is whole.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from cnnvis_report.errors import BadRequest, WentAway
from cnnvis_report.records.identity import Identity, fingerprint
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord, StoredFile
from cnnvis_report.store.arrays import Arrays, write_arrays
from cnnvis_report.store.atomic import NO_LINK, is_regular, remove, settle
from cnnvis_report.store.intact_parts import inspection_is_whole, whole_images
from cnnvis_report.store.journal import Done, begun, journal_line, journal_lines, start_journal
from cnnvis_report.store.manifest import images_left, read_head, write_manifest
from cnnvis_report.store.names import ARRAYS, FITTED, INSPECTION, JOURNAL, MANIFEST, arrays_name, inspection_name, place
from cnnvis_report.store.os_errors import raise_unless_of_the_file
from cnnvis_report.store.own_files import check_files, check_writable, clear, made_in


class RunWriter:
    """A run folder that is being written; whoever makes one holds the lock of the folder.

    Args:
        folder: where; made if it isn't there.
        identity: what decides the results.
        images: names of all images of this run by their ids, in order.
        keep: whether the folder holds what an earlier start of this run has left, which is kept; what another run has
            left is removed.
        files: what files are known to hold, as `manifest.remembered` gives it.

    Raises:
        BadRequest: the folder holds something else.
    """

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        images: Mapping[str, str],
        *,
        keep: bool,
        files: Mapping[str, str] | None = None,
    ) -> None:
        check_writable(folder)
        check_files(folder)
        self.folder = folder
        self._images = dict(images)
        self._run = fingerprint(identity)
        self._inside: dict[str, StoredFile] = {}
        if not keep:
            clear(folder)
        for inner in (ARRAYS, INSPECTION):
            (folder / inner).mkdir(parents=True, exist_ok=True)
        self._identity = _identity(folder)
        self.done: set[str] = set()
        self.complete = self._is_complete()
        self.damaged = is_regular(folder / MANIFEST) and not self.complete
        if self.complete:
            self._tidy()
        else:
            earlier = self._earlier()
            self.done = {result.image.id for result in earlier}
            start_journal(folder, identity, files or {}, earlier)
            (folder / MANIFEST).unlink(missing_ok=True)

    def add(
        self,
        image: ImageRecord,
        arrays: Arrays,
        seconds: Mapping[str, float],
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Write one image's arrays, then its line in the journal, which says that the arrays are whole.

        seconds: what each method took on it. files: what its files are remembered by.

        Raises:
            WentAway: the folder is gone. OSError: the disk is full, say.
        """
        with self._there():
            stored = write_arrays(place(self.folder, arrays_name(image.id)), arrays)
            line = journal_line(Done(image, dict(seconds), dict(files or {}), stored), self._run)
            flags = os.O_WRONLY | os.O_APPEND | NO_LINK  # a journal that is gone isn't made anew
            with os.fdopen(os.open(self.folder / JOURNAL, flags), "a", encoding="utf-8") as journal:
                journal.write(line)
            settle(self.folder / JOURNAL)
        self.done.add(image.id)

    def add_inspection(self, name: str, arrays: Arrays) -> None:
        """Write what was found inside the network, of an image or of itself.

        Raises:
            WentAway: the folder is gone. OSError: the disk is full, say.
        """
        with self._there():
            self._inside[inspection_name(name)] = write_arrays(
                place(self.folder, inspection_name(name)), arrays, deflated=True
            )

    def seconds(self) -> dict[str, float]:
        """What each method has taken on all images that are done, in earlier starts too."""
        total: Counter[str] = Counter()
        for line in journal_lines(self.folder):
            total.update(line.seconds)
        return dict(total)

    def images(self) -> Iterator[ImageRecord]:
        """The records of the images that are done, in earlier starts too, in the order in which they were."""
        for line in journal_lines(self.folder):
            yield line.image

    def finish(self, run: RunRecord) -> None:
        """Write the manifest, after a look at whether everything is there; the journal and what was fitted have served.

        Raises:
            WentAway: something of it is gone.
        """
        with self._there():
            order = {image: number for number, image in enumerate(self._images)}
            lines = sorted(journal_lines(self.folder), key=lambda line: order.get(line.image.id, len(order)))
            files = {arrays_name(line.image.id): line.stored for line in lines} | self._inside
            lost = [name for name, stored in files.items() if not _has_size(self.folder / name, stored)]
            if lost or {line.image.id for line in lines} != self.done:
                what = lost[0] if lost else JOURNAL
                raise WentAway(f"{self.folder / what}: went away while the run went on. Start it again.")
            run = replace(run, images=len(lines), files=dict(sorted(files.items())))
            write_manifest(self.folder, run, (line.image for line in lines))
        self._tidy()

    def abandon(self) -> None:
        """Where not one image was done there is nothing to go on from: leave the folder as it was found."""
        if not self.done and not self.complete and _identity(self.folder) == self._identity:
            clear(self.folder)

    def _earlier(self) -> list[Done]:
        """What an earlier start has done, and is whole."""
        if begun(self.folder):
            earlier = list(journal_lines(self.folder))
        elif is_regular(self.folder / MANIFEST):
            images, _ = images_left(self.folder)
            files = read_head(self.folder / MANIFEST)[0].files if images else {}
            earlier = [Done(image, {}, {}, files[arrays_name(image.id)]) for image in images]
        else:
            earlier = []
        earlier = [result for result in earlier if result.image.id in self._images]
        whole = whole_images(self.folder, [(result.image, result.stored) for result in earlier])
        return [result for result in earlier if result.image.id in whole]

    def _is_complete(self) -> bool:
        """Whether a whole manifest is there, with every image that was asked for, or the reason why it isn't there."""
        path = self.folder / MANIFEST
        try:
            run, true = read_head(path)
        except OSError as error:
            raise_unless_of_the_file(error)
            return False
        except BadRequest:
            return False
        listed, whole = images_left(self.folder)
        if not (true and whole) or run.left_out:
            return False
        ids = {image.id for image in listed}
        skipped = Counter(file.name for file in run.skipped)
        missing = Counter(name for image, name in self._images.items() if image not in ids)
        if not (ids <= self._images.keys() and missing <= skipped):
            return False
        inside = [Path(name).stem for name in run.files if name.startswith(f"{INSPECTION}/")]
        return all(inspection_is_whole(self.folder, name, run) for name in inside) and ids == whole_images(
            self.folder, [(image, run.files[arrays_name(image.id)]) for image in listed]
        )

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
            missing = self.folder if _identity(self.folder) != self._identity else error.filename
            raise WentAway(f"{missing}: went away while the run went on. Start the run again.") from error


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _has_size(path: Path, stored: StoredFile) -> bool:
    return path.is_file() and path.stat().st_size == stored.bytes
