"""A complete run in its folder, read one image at a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from cnnvis_report.errors import BadRequest
from cnnvis_report.evidence import evidence_of
from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, RunRecord, StoredFile
from cnnvis_report.store.array_files.array_checks import wrong_arrays, wrong_inspection
from cnnvis_report.store.array_files.arrays import Damaged, advice, read_arrays
from cnnvis_report.store.array_files.half import SCALE, restored
from cnnvis_report.store.array_files.shards import ShardReader, read_from_any_shard
from cnnvis_report.store.files.names import (
    MANIFEST,
    SNAPSHOTS,
    arrays_name,
    file_of,
    inspection_name,
    place,
    shard_name,
)
from cnnvis_report.store.image_memory import ImageMemory
from cnnvis_report.store.manifest import read_head
from cnnvis_report.store.own_files import is_run_folder

NAMED = 3  # files that a message names

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class StoredRun:
    """A complete run in its folder."""

    folder: Path
    record: RunRecord
    _shards: ShardReader = field(default_factory=ShardReader, init=False, repr=False, compare=False)
    _memory: ImageMemory = field(default_factory=ImageMemory, init=False, repr=False, compare=False)

    def images(self, ids: Collection[str] | None = None) -> Iterator[ImageRecord]:
        """The images in order, one by one; few images are read once and remembered.

        Args:
            ids: of the images that are wanted; all where None.

        Raises:
            BadRequest: the manifest is damaged.
        """
        return self._memory.read(self.folder / MANIFEST, self.record, ids)

    @property
    def evidence(self) -> Evidence | None:
        """The verdict on every method, from the images where the manifest has none; None where nothing was measured.

        Raises:
            BadRequest: the manifest is damaged.
        """
        return self.record.evidence or evidence_of(self.record, self.images())

    def maps(self, image: ImageRecord) -> dict[str, Array]:
        """All arrays of an image: "picture", "mask" where there is one, and its maps by their keys, in float32.

        Maps have the shapes that the image's record says, and are finite; "KEY/color" is the color picture of a map
        that is kept without its channels.

        Raises:
            Damaged: they aren't what the run has written. BadRequest: the run keeps no arrays.
        """
        arrays = self.stored_arrays(image)
        for record in image.maps:
            if record.scale is not None:
                del arrays[f"{record.key}/{SCALE}"]
                arrays[record.key] = restored(arrays[record.key], record.scale)
        return arrays

    def stored_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """The same as they stand in the file: maps in float16 with their scales, where they are kept so.

        Raises:
            Damaged: naming what isn't as the image's record says. BadRequest: the run keeps no arrays.
        """
        arrays = self.unchecked_arrays(image)
        wrong = wrong_arrays(image, arrays)
        if wrong:
            raise Damaged(self.folder, file_of(image), wrong)
        return arrays

    def picture(self, image: ImageRecord) -> Array:
        """What the network saw of an image, uint8.

        Raises:
            Damaged: it isn't what the run has written. BadRequest: the run keeps no arrays.
        """
        return self.unchecked_arrays(image)["picture"]

    def unchecked_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """The arrays of a file that is as it was written, whatever they are.

        Raises:
            Damaged: it isn't as it was written. BadRequest: the run keeps no arrays.
        """
        self.need_arrays()
        if image.shard is None:
            return self._read(arrays_name(image.id))
        return self._shards.read(self.folder, image.shard, image.id, self._stored(shard_name(image.shard)))

    def need_arrays(self) -> None:
        """Refuse what a run without arrays can't give.

        Raises:
            BadRequest: the run keeps none, and how to make them.
        """
        if self.record.keep is Keep.NONE:
            raise BadRequest(
                f"{self.folder}: keeps no arrays (--keep none), which this needs. Start the run again with its "
                "command and --keep reduced."
            )

    def inspection_arrays(self, name: str) -> dict[str, Array]:
        """All arrays from within the network: of an image by its id, of the network itself by NETWORK.

        Raises:
            Damaged: they aren't what the run has written.
        """
        self.need_arrays()
        arrays = self._read(inspection_name(name))
        wrong = "" if name == SNAPSHOTS else wrong_inspection(self.record.inspection, name, arrays)
        if wrong:
            raise Damaged(self.folder, inspection_name(name), wrong)
        return arrays

    def _read(self, name: str) -> dict[str, Array]:
        place(self.folder, name)
        return read_arrays(self.folder, name, self._stored(name))

    def _stored(self, name: str) -> StoredFile:
        stored = self.record.files.get(name)
        if stored is None:
            raise Damaged(self.folder, name, "isn't among the files that the run lists")
        return stored


def load_run(folder: Path) -> StoredRun:
    """The complete run of a folder, after a look at whether all of it is there.

    The folder may be a stranger's: nothing in it is run, and nothing outside it is read.

    Raises:
        BadRequest: the folder holds no complete run, one of another version, or one that got damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        reason = (
            "a run that hasn't finished; start it again with the same command" if is_run_folder(folder) else "no run"
        )
        raise BadRequest(f"{folder}: holds {reason}.")
    record, true = read_head(path)
    if not true:
        raise BadRequest(f"{path}: something in it was changed after the run. {advice(folder)}")
    run = StoredRun(folder, record)
    for _ in run.images():
        pass
    wrong = missing_files(run)
    if wrong:
        more = f", and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise BadRequest(f"{folder}: {', '.join(wrong[:NAMED])}{more}. {advice(folder)}")
    return run


def titled(run: StoredRun, title: str | None) -> StoredRun:
    """The run with another title, or as it is without one; its folder keeps the title that it has."""
    if title is None:
        return run
    return replace(run, record=replace(run.record, settings={**run.record.settings, "title": title}))


def load_arrays(folder: Path, image: str) -> dict[str, Array]:
    """All arrays of an image, its maps in float32, of a run that goes on too, whether or not they are as written.

    Raises:
        BadRequest: there are none that can be read.
    """
    path = place(folder, arrays_name(image))
    if path.exists() or path.is_symlink():
        arrays = read_arrays(folder, arrays_name(image))
    else:
        arrays = read_from_any_shard(folder, image)
    for key in [key for key in arrays if f"{key}/{SCALE}" in arrays]:
        arrays[key] = restored(arrays[key], float(arrays.pop(f"{key}/{SCALE}")[0]))
    return arrays


def load_inspection(folder: Path, name: str) -> dict[str, Array]:
    """The same of the arrays from within the network, of an image by its id or of the network itself by NETWORK."""
    place(folder, inspection_name(name))
    return read_arrays(folder, inspection_name(name))


def missing_files(run: StoredRun) -> list[str]:
    """What is wrong with the files of arrays, as far as their sizes tell it, a few words each."""
    problems = []
    for name, stored in run.record.files.items():
        path = place(run.folder, name)
        if path.is_symlink():
            problems.append(f"{name} is a link")
        elif not path.is_file():
            problems.append(f"{name} is {'no file' if path.exists() else 'missing'}")
        elif path.stat().st_size != stored.bytes:
            problems.append(f"{name} has {path.stat().st_size} bytes in the place of {stored.bytes}")
    return problems
