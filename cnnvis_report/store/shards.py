"""Shards: files of the arrays of consecutive images, where a run has more images than a folder should have files.

A shard is a file of arrays like any other, whose members are called IMAGE/KEY; `numpy.load` reads each of them alone.
"""

import os
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store import arrays as files
from cnnvis_report.store.atomic import open_regular
from cnnvis_report.store.names import place, shard_name
from cnnvis_report.store.npz import Member, content_of, moved, packed, write_members

SHARDED_ABOVE = 1000  # images of a run
IMAGES = 100  # of a shard
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


def shard_size(images: int, size: int | None = None) -> int | None:
    """How many consecutive images share a file of arrays; None where each image has one of its own.

    Args:
        images: of the run. size: what was asked for; None chooses.
    """
    if size is not None:
        return size or None
    return IMAGES if images > SHARDED_ABOVE else None


def write_shard(folder: Path, number: int, results: Iterable[Explained]) -> tuple[list[ImageRecord], StoredFile]:
    """Write the arrays of a shard's images, in the same bytes wherever it is done; no lock is needed.

    Args:
        folder: the run folder, or one that stands for it; its `arrays/` is made if it isn't there.
        number: of the shard, from 0.
        results: its images in the set's order; one is held at a time.

    Returns:
        The images' records with the number of their shard, and what the file is known by.

    Raises:
        OSError: the disk is full, say.
    """
    path = place(folder, shard_name(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    records: list[ImageRecord] = []

    def members() -> Iterator[Member]:
        for result in results:
            records.append(replace(result.image, shard=number))
            packs = (packed(key, array, deflated=True) for key, array in result.arrays.items())
            yield from moved(packs, f"{result.image.id}/")

    stored = write_members(path, members())
    return records, stored


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

    def _index(self, path: Path, file: Any, stored: StoredFile | None) -> "_Index":
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


class _Index:
    """Where the arrays of each image stand in a shard, and in which state of the file."""

    def __init__(self, state: tuple[Any, ...], size: int, members: dict[str, list[zipfile.ZipInfo]]) -> None:
        self.state, self.size, self.members = state, size, members


def _members(file: Any, stored: StoredFile | None) -> dict[str, list[zipfile.ZipInfo]]:
    """The members of a shard by image, their names without the image's."""
    wrong = "" if stored is None else files.changed(file, stored)
    if wrong:
        raise files.NotAsWritten(wrong)
    by_image: dict[str, list[zipfile.ZipInfo]] = {}
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
    if len(infos) > MOST:
        raise ValueError(f"{len(infos)} arrays")
    for info in infos:
        image, _, info.filename = info.filename.partition("/")
        by_image.setdefault(image, []).append(info)
    return by_image
