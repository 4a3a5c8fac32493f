"""Files of arrays that plain numpy reads; written whole, read as a stranger's with bounded memory."""

import errno
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from cnnvis_report.errors import BadRequest
from cnnvis_report.files import beside, read_regular
from cnnvis_report.records import StoredFile
from cnnvis_report.store.sealing import digest_of

Arrays = Mapping[str, npt.NDArray[Any]]
LARGEST = 4 << 30  # bytes of a file
INFLATED = 512 << 20  # bytes that packed arrays may come to, in all
MOST = 100_000  # arrays of a file
OF_THE_SYSTEM = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM}
HEADER = 4096  # bytes of what numpy writes before an array


class Damaged(BadRequest):
    """A file isn't what the run has written; `name` says which, `reason` what is wrong with it."""

    def __init__(self, folder: Path, name: str, reason: str) -> None:
        super().__init__(f"{folder / name}: {reason}. {advice(folder)}")
        self.name, self.reason = name, reason


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
            save(file, allow_pickle=False, **arrays)
        return digest_of(temporary)


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
        size = path.stat().st_size
        if stored is not None and path.is_file() and size != stored.bytes:
            raise Damaged(folder, name, f"has {size} bytes in the place of {stored.bytes}")
        content = read_regular(path, LARGEST)
    except FileNotFoundError as error:
        raise Damaged(folder, name, "is missing") from error
    except Damaged:
        raise
    except OSError as error:
        if error.errno in OF_THE_SYSTEM:  # which say nothing of the file
            raise
        raise Damaged(folder, name, f"can't be read ({error.strerror or error})") from error
    except BadRequest as error:
        raise Damaged(folder, name, str(error).removeprefix(f"{path}: ").rstrip(".")) from error
    if stored is not None and sha256(content).hexdigest() != stored.sha256:
        raise Damaged(folder, name, "isn't what the run has written there (it has another digest)")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _unpacked(archive)
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, EOFError),
        *(NotImplementedError, RuntimeError, OverflowError, OSError, SyntaxError, MemoryError),
    ) as error:
        raise Damaged(folder, name, f"holds no arrays that can be read ({error or type(error).__name__})") from error


def _unpacked(archive: zipfile.ZipFile) -> dict[str, npt.NDArray[Any]]:
    """The arrays, after a look at what each of them will take."""
    members = archive.infolist()
    if len(members) > MOST:
        raise ValueError(f"{len(members)} arrays")
    packed = sum(each.file_size for each in members if each.compress_type != zipfile.ZIP_STORED)
    if packed > INFLATED:
        raise ValueError(f"packed arrays of {packed} bytes")
    found: dict[str, npt.NDArray[Any]] = {}
    for each in members:
        key = each.filename.removesuffix(".npy")
        if key in found or key == each.filename:
            raise ValueError(f"{each.filename!r} beside arrays")
        found[key] = _array(archive.read(each), key)
    return found


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
