"""Files of arrays that plain numpy reads; written whole, read as a stranger's with bounded memory."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.array_files.npz import members_listed, packed, read_header, write_members
from cnnvis_report.store.files.atomic import open_regular
from cnnvis_report.store.files.digests import digest_in
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file

Arrays = Mapping[str, npt.NDArray[Any]]
LARGEST = 4 << 30  # bytes of a file
INFLATED = 512 << 20  # bytes that packed arrays may come to, in all
MOST = 100_000  # arrays of a file
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # how numpy packs


class NotAsWritten(Exception):
    """A file isn't the one that was written; in which way."""


class Damaged(BadRequest):
    """A file isn't what the run has written; `name` says which, `reason` what is wrong with it."""

    def __init__(self, folder: Path, name: str, reason: str) -> None:
        super().__init__(f"{folder / name}: {reason}. {advice(folder)}")
        self.folder, self.name, self.reason = folder, name, reason

    def __reduce__(self) -> tuple[type["Damaged"], tuple[Path, str, str]]:
        """How it travels from a process to another."""
        return type(self), (self.folder, self.name, self.reason)


def advice(folder: Path) -> str:
    """What to do about a folder that isn't whole."""
    return (
        f"`cnnvis-report render --repair {folder}` makes the pages without what is damaged; the command that made the "
        "run makes it again."
    )


def write_arrays(path: Path, arrays: Arrays, *, deflated: bool = False) -> StoredFile:
    """Write a file of arrays, in the same bytes for the same arrays; what its bytes are known by.

    Raises:
        OSError: the disk is full, say, or the folder is gone.
    """
    return write_members(path, (packed(key, array, deflated=deflated) for key, array in arrays.items()))


def names_in(path: Path) -> list[str]:
    """What the arrays of a file are called; nothing where it holds none."""
    try:
        with open_regular(path, LARGEST) as file:
            names = [member.filename for member in members_listed(file, MOST)]
        return [name.removesuffix(".npy") for name in names if name.endswith(".npy")]
    except OSError as error:
        raise_unless_of_the_file(error)
        return []
    except (BadRequest, zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return []


def read_arrays(folder: Path, name: str, stored: StoredFile | None = None) -> dict[str, npt.NDArray[Any]]:
    """All arrays of a file.

    Args:
        name: as `names.place` admits it, relative to the folder.
        stored: what its bytes have to be.

    Raises:
        Damaged: it isn't there, isn't what was written, or holds something else than numbers.
    """
    with damage_named(folder, name), open_regular(folder / name, LARGEST) as file:
        wrong = "" if stored is None else changed(file, stored)
        if wrong:
            raise NotAsWritten(wrong)
        members = members_listed(file, MOST)
        with zipfile.ZipFile(file) as archive:
            return arrays_of(members, archive.read, os.fstat(file.fileno()).st_size)


@contextmanager
def damage_named(folder: Path, name: str) -> Iterator[None]:
    """Say of a file of arrays what is wrong with it, where reading it fails.

    Raises:
        Damaged: it isn't there, isn't what was written, or holds something else than numbers.
    """
    path = folder / name
    try:
        yield
    except FileNotFoundError as error:
        raise Damaged(folder, name, "is missing") from error
    except NotAsWritten as error:
        raise Damaged(folder, name, str(error)) from error
    except OSError as error:
        raise_unless_of_the_file(error)
        raise Damaged(folder, name, f"can't be read ({error.strerror or error})") from error
    except BadRequest as error:
        raise Damaged(folder, name, str(error).removeprefix(f"{path}: ").rstrip(".")) from error
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, EOFError),
        *(NotImplementedError, RuntimeError, OverflowError, SyntaxError, MemoryError),
    ) as error:
        raise Damaged(folder, name, f"holds no arrays that can be read ({error or type(error).__name__})") from error


def changed(file: BinaryIO, stored: StoredFile) -> str:
    """In which way a file isn't the one that was stored; empty where it is."""
    size = os.fstat(file.fileno()).st_size
    if size != stored.bytes:
        return f"has {size} bytes in the place of {stored.bytes}"
    same = digest_in(file).sha256 == stored.sha256
    return "" if same else "isn't what the run has written there (it has another digest)"


def arrays_of(
    members: Sequence[zipfile.ZipInfo], read: Callable[[zipfile.ZipInfo], bytes], size: int
) -> dict[str, npt.NDArray[Any]]:
    """The arrays that members of a file of so many bytes hold, after a look at what all of them will take.

    Deflation gives no more than an entry says; other ways of packing may inflate a few bytes to gigabytes.
    """
    foreign = next((member for member in members if member.compress_type not in PACKED), None)
    if foreign is not None:
        raise ValueError(f"{foreign.filename[:60]!r} packed in a way that no run packs")
    inflated = sum(member.file_size for member in members if member.compress_type != zipfile.ZIP_STORED)
    if inflated > INFLATED:
        raise ValueError(f"packed arrays of {inflated} bytes")
    plain = sum(member.file_size for member in members) - inflated
    if plain > size:  # entries that share their bytes
        raise ValueError(f"arrays of {plain} bytes in {size}")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for member in members:
        key = member.filename.removesuffix(".npy")
        if key in arrays or key == member.filename:
            raise ValueError(f"{member.filename!r} beside arrays")
        arrays[key] = _array(read(member), key)
    return arrays


def _array(content: bytes, key: str) -> npt.NDArray[Any]:
    """One array; its header has to say what follows it, so that no claim of it takes memory."""
    stream = io.BytesIO(content)
    shape, order, dtype = read_header(stream)
    if dtype.kind not in "biuf" or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"{key!r} holds {dtype} in the place of numbers")
    if prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{key!r} is shorter or longer than its shape says")
    values = np.frombuffer(content, dtype=dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if order else "C").copy()  # which may be written to
