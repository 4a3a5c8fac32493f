"""Shards: files of the arrays of consecutive images, where a run has more images than a folder should have files.

A shard is a file of arrays like any other, whose members are called IMAGE/KEY; `numpy.load` reads each of them alone.
"""

import os
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Protocol, Self

import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, StoredFile
from cnnvis_report.store.array_files import arrays as files
from cnnvis_report.store.array_files.npz import (
    Member,
    content_of,
    members_in,
    members_listed,
    members_of,
    moved,
    packed,
    write_members,
)
from cnnvis_report.store.files.atomic import open_regular
from cnnvis_report.store.files.names import ARRAYS, SHARD, arrays_name, place, shard_name

SHARDED_ABOVE = 1000  # images of a run
IMAGES, IMAGES_IN_FULL = 100, 10  # of a shard, so that it has a few hundred megabytes at most
LARGEST = 64 << 30  # bytes of a shard
MOST = 1 << 20  # arrays of a shard
OPEN = 2  # shards whose directories are remembered

Array = npt.NDArray[Any]


class Explained(Protocol):
    """An image that is explained: its record, and its arrays as they are kept."""

    @property
    def image(self) -> ImageRecord:
        """What there is of it, as a record."""

    @property
    def arrays(self) -> Mapping[str, Array]:
        """Its arrays by key."""


@dataclass(frozen=True)
class ArrayLayout:
    """How a run's arrays stand in files.

    keep: what is kept of them. shard_size: how many consecutive images share a file; None where each has its own.
    """

    keep: Keep = Keep.FULL
    shard_size: int | None = None

    @classmethod
    def of(cls, images: int, keep: Keep, shard_size: int | None = None) -> Self:
        """The layout of a run of so many images.

        Args:
            shard_size: what was asked for, 0 for no shards; None chooses.
        """
        if shard_size is None and images > SHARDED_ABOVE:
            shard_size = IMAGES_IN_FULL if keep is Keep.FULL else IMAGES
        return cls(keep, shard_size or None)

    @property
    def deflated(self) -> bool:
        """Whether arrays are deflated: that gains little on float32, and would be the slowest part of writing them."""
        return self.keep is not Keep.FULL

    def shards(self, images: int) -> int:
        """How many shards a set of so many images has."""
        return 0 if self.shard_size is None else -(-images // self.shard_size)

    def positions(self, number: int) -> slice:
        """Where the images of a shard stand in the set."""
        size = self.shard_size or 0
        return slice(number * size, (number + 1) * size)

    def shard_of(self, position: int) -> int | None:
        """The number of the shard that the image at a position of the set belongs to."""
        return None if self.shard_size is None else position // self.shard_size


def write_shard(
    folder: Path, number: int, results: Iterable[Explained], *, deflated: bool = True
) -> tuple[list[ImageRecord], StoredFile]:
    """Write the arrays of a shard's images, in the same bytes wherever it is done; no lock is needed.

    Args:
        folder: the run folder, or one that stands for it; its `arrays/` is made if it isn't there,
            the folder itself isn't.
        number: of the shard, from 0.
        results: its images in the set's order; one is held at a time.
        deflated: whether arrays are, as the run's `ArrayLayout` says.

    Returns:
        The images' records with the number of their shard, and what the file is known by.

    Raises:
        OSError: the disk is full, say.
    """
    path = place(folder, shard_name(number))
    path.parent.mkdir(exist_ok=True)
    records: list[ImageRecord] = []

    def members() -> Iterator[Member]:
        for result in results:
            records.append(replace(result.image, shard=number))
            packs = (packed(key, array, deflated=deflated) for key, array in result.arrays.items())
            yield from moved(packs, f"{result.image.id}/")

    stored = write_members(path, members())
    return records, stored


def merge_shard(folder: Path, number: int, images: Sequence[str]) -> StoredFile:
    """Move arrays of images that have files of their own, or are in the shard already, into the file of a shard.

    The bytes are those that `write_shard` gives. The images' own files stay.

    Args:
        images: ids in the set's order.

    Raises:
        OSError: a file is gone, or the disk is full, say.
    """
    path = place(folder, shard_name(number))

    def members() -> Iterator[Member]:
        singles = {image: place(folder, arrays_name(image)) for image in images}
        with ExitStack() as stack:
            if not all(file.is_file() for file in singles.values()):
                shard = stack.enter_context(open_regular(path, LARGEST))
                earlier = _by_image(shard)
            for image, file_path in singles.items():
                if file_path.is_file():
                    with open_regular(file_path, LARGEST) as file:
                        yield from moved(members_in(file, MOST), f"{image}/")
                else:
                    yield from moved(members_of(shard, earlier[image]), f"{image}/")

    return write_members(path, members())


class ShardReader:
    """Reads the arrays of single images from shards; remembers where they stand in those that it read last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._indices: OrderedDict[Path, _Index] = OrderedDict()

    def __reduce__(self) -> tuple[type["ShardReader"], tuple[()]]:
        return ShardReader, ()  # what is remembered is of this process

    def read(self, folder: Path, number: int, image: str, stored: StoredFile | None = None) -> dict[str, Array]:
        """All arrays of an image.

        Args:
            stored: what the shard's bytes have to be, which is looked at when the shard is first read.

        Raises:
            Damaged: the shard isn't there, isn't what was written, or hasn't got the image.
        """
        name = shard_name(number)
        with files.damage_named(folder, name):
            path = place(folder, name)
            with open_regular(path, LARGEST) as file:
                index = self._index(path, file, stored)
                members = index.members.get(image)
                if members is None:
                    raise ValueError(f"nothing of {image[:64]!r}")
                return files.arrays_of(members, lambda member: content_of(file, member), index.size)

    def _index(self, path: Path, file: BinaryIO, stored: StoredFile | None) -> "_Index":
        status = os.fstat(file.fileno())
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, stored)
        with self._lock:
            index = self._indices.get(path)
            if index is None or index.state != state:
                index = _Index(state, status.st_size, _members(file, stored))
                self._indices[path] = index
            self._indices.move_to_end(path)
            while len(self._indices) > OPEN:
                self._indices.popitem(last=False)
            return index


def read_from_any_shard(folder: Path, image: str) -> dict[str, Array]:
    """All arrays of an image from the shard that holds it, without asking whether they are as they were written.

    Raises:
        Damaged: no shard of the folder that can be read holds it.
    """
    for path in sorted((folder / ARRAYS).glob("shard-*.npz")):
        number = SHARD.fullmatch(path.stem)
        if number is not None:
            with suppress(files.Damaged):
                return ShardReader().read(folder, int(number[1]), image)
    raise files.Damaged(folder, arrays_name(image), "is missing")


class _Index:
    """Where the arrays of each image stand in a shard, and in which state of the file."""

    def __init__(self, state: tuple[Any, ...], size: int, members: dict[str, list[zipfile.ZipInfo]]) -> None:
        self.state, self.size, self.members = state, size, members


def _members(file: BinaryIO, stored: StoredFile | None) -> dict[str, list[zipfile.ZipInfo]]:
    """The members of a shard by image, their names without the image's."""
    wrong = "" if stored is None else files.changed(file, stored)
    if wrong:
        raise files.NotAsWritten(wrong)
    return _by_image(file)


def _by_image(file: BinaryIO) -> dict[str, list[zipfile.ZipInfo]]:
    by_image: dict[str, list[zipfile.ZipInfo]] = {}
    for info in members_listed(file, MOST):
        image, _, info.filename = info.filename.partition("/")
        by_image.setdefault(image, []).append(info)
    return by_image
