"""Files of arrays that plain numpy reads; written whole, read as a stranger's with bounded memory."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.atomic import beside, open_regular
from cnnvis_report.store.digests import digest_in, digest_of
from cnnvis_report.store.os_errors import raise_unless_of_the_file

Arrays = Mapping[str, npt.NDArray[Any]]
LARGEST = 4 << 30  # bytes of a file
INFLATED = 512 << 20  # bytes that packed arrays may come to, in all
MOST = 100_000  # arrays of a file
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # how numpy packs
HEADER = 4096  # bytes of what numpy writes before an array


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


def write_arrays(path: Path, arrays: Arrays, *, packed: bool = False) -> StoredFile:
    """Write a file of arrays, in the same bytes for the same arrays; what its bytes are known by.

    Raises:
        OSError: the disk is full, say, or the folder is gone.
    """
    save = np.savez_compressed if packed else np.savez
    with beside(path, parents=False) as temporary:
        with temporary.open("wb") as file:
            save(file, **arrays)  # type: ignore[arg-type] # no name is that of an option; NumPy 1.26 has no options
        return digest_of(temporary)


def names_in(path: Path) -> list[str]:
    """What the arrays of a file are called; nothing where it holds none."""
    try:
        with open_regular(path, LARGEST) as file, zipfile.ZipFile(file) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
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
    path = folder / name
    try:
        with open_regular(path, LARGEST) as file:
            wrong = "" if stored is None else _changed(file, stored)
            if wrong:
                raise Damaged(folder, name, wrong)
            return _arrays(folder, name, file)
    except FileNotFoundError as error:
        raise Damaged(folder, name, "is missing") from error
    except Damaged:
        raise
    except OSError as error:
        raise_unless_of_the_file(error)
        raise Damaged(folder, name, f"can't be read ({error.strerror or error})") from error
    except BadRequest as error:
        raise Damaged(folder, name, str(error).removeprefix(f"{path}: ").rstrip(".")) from error


def _changed(file: BinaryIO, stored: StoredFile) -> str:
    """In which way a file isn't the one that was stored; empty where it is."""
    size = os.fstat(file.fileno()).st_size
    if size != stored.bytes:
        return f"has {size} bytes in the place of {stored.bytes}"
    same = digest_in(file).sha256 == stored.sha256
    return "" if same else "isn't what the run has written there (it has another digest)"


def _arrays(folder: Path, name: str, file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(file) as archive:
            return _unpacked(archive, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise_unless_of_the_file(error)
        raise Damaged(folder, name, f"holds no arrays that can be read ({error})") from error
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, EOFError),
        *(NotImplementedError, RuntimeError, OverflowError, SyntaxError, MemoryError),
    ) as error:
        raise Damaged(folder, name, f"holds no arrays that can be read ({error or type(error).__name__})") from error


def _unpacked(archive: zipfile.ZipFile, size: int) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file of so many bytes, after a look at what all of them will take.

    Deflation gives no more than an entry says; other ways of packing may inflate a few bytes to gigabytes.
    """
    members = archive.infolist()
    if len(members) > MOST:
        raise ValueError(f"{len(members)} arrays")
    foreign = next((member for member in members if member.compress_type not in PACKED), None)
    if foreign is not None:
        raise ValueError(f"{foreign.filename[:60]!r} packed in a way that no run packs")
    packed = sum(member.file_size for member in members if member.compress_type != zipfile.ZIP_STORED)
    if packed > INFLATED:
        raise ValueError(f"packed arrays of {packed} bytes")
    plain = sum(member.file_size for member in members) - packed
    if plain > size:  # entries that share their bytes
        raise ValueError(f"arrays of {plain} bytes in {size}")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for member in members:
        key = member.filename.removesuffix(".npy")
        if key in arrays or key == member.filename:
            raise ValueError(f"{member.filename!r} beside arrays")
        arrays[key] = _array(archive.read(member), key)
    return arrays


def _array(content: bytes, key: str) -> npt.NDArray[Any]:
    """One array; its header has to say what follows it, so that no claim of it takes memory."""
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{key!r} of version {version}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, order, dtype = read(stream, max_header_size=HEADER)
    if dtype.kind not in "biuf" or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"{key!r} holds {dtype} in the place of numbers")
    if prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{key!r} is shorter or longer than its shape says")
    values = np.frombuffer(content, dtype=dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if order else "C").copy()  # which may be written to
