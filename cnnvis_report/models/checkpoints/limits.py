"""What a checkpoint may cost: told by its heads and by counting bytes, before anything in it is made."""

import re
import struct
import zipfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from cnnvis_report.errors import BadRequest

MOST_TENSORS = 100_000  # the largest networks of timm have some thousand
MOST_DIRECTORY = 1 << 23  # bytes of a zip archive's list of entries
UNFOLDED = 4  # times a file's size that its entries may have: torch.save doesn't compress
SLACK = 1 << 20  # bytes
LARGEST_CLAIM = 1 << 26  # bytes of a tensor that may be larger than its file
PICKLED = 1 << 26  # bytes at the beginning of an old file, in which its tensors are named
END, END_64 = b"PK\x05\x06", b"PK\x06\x06"
LARGEST_END = 1 << 17  # bytes from the end of an archive in which its own end begins
# a tuple that is done, kept in the memo or not, and the call for a storage by it
STORAGE = re.compile(rb"[t\x85-\x87](?:q.|r.{4}|\x94|p[0-9]{1,9}\n)?Q", re.DOTALL)

# tuple in tuple in tuple: as a key it is hashed by a recursion in C, which ends the process
TUPLES = re.compile(rb"(?>(?:[N\x88\x89)\]}(]|[Khq].|[rj].{4}|\x94){0,16}+[t\x85-\x87])++", re.DOTALL)
DONE, MOST_TUPLES = (b"t", b"\x85", b"\x86", b"\x87"), 3000
DEEPEST = 50_000  # bytes of them in a row


def check_limits(path: Path) -> None:
    """Refuse a checkpoint that would take far more memory or time than a file of its size should.

    Raises:
        BadRequest: it holds too many tensors or files, or unfolds to many times its size. OSError: it can't be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        file.seek(0)
        if start[:2] == b"PK":
            _check_archive(path, file, size)
        elif start[8:] == b"{":
            header = min(int.from_bytes(start[:8], "little"), size)
            file.seek(8)
            _check_count(path, file.read(header).count(b'"data_offsets"'))
        else:
            _check_pickle(path, file.read(PICKLED))


def check_claims(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors that say to be larger than the whole file: a single number may stand for a thousand million."""
    most = max(LARGEST_CLAIM, UNFOLDED * path.stat().st_size)
    for key, value in state.items():
        if value.numel() * value.element_size() > most:
            shape = "×".join(map(str, value.shape))
            raise BadRequest(
                f"{path}: {key} claims to be {shape}, which a file of {path.stat().st_size:,} bytes isn't."
            )


def _check_archive(path: Path, file: BinaryIO, size: int) -> None:
    if _directory(file, size) > MOST_DIRECTORY:
        raise BadRequest(f"{path}: is an archive of a million files or so, and no checkpoint.")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unfolded = sum(entry.file_size for entry in entries)
            if unfolded > UNFOLDED * size + SLACK:
                raise BadRequest(f"{path}: {size:,} bytes that unfold to {unfolded:,}; torch.save compresses nothing.")
            _check_count(path, sum("/data/" in entry.filename for entry in entries))
            for entry in entries:
                if entry.filename.endswith("/data.pkl"):
                    _check_pickle(path, archive.read(entry))
    except BadRequest:
        raise
    except Exception:  # a damaged archive: to read it says so
        return


def _directory(file: BinaryIO, size: int) -> int:
    """The bytes of an archive's list of entries, as its end says; 0 where there is none."""
    file.seek(max(0, size - LARGEST_END))
    tail = file.read()
    at, at_64 = tail.rfind(END), tail.rfind(END_64)
    if at_64 >= 0 and len(tail) >= at_64 + 48:
        return int(struct.unpack_from("<Q", tail, at_64 + 40)[0])
    return int(struct.unpack_from("<I", tail, at + 12)[0]) if at >= 0 and len(tail) >= at + 16 else 0


def _check_pickle(path: Path, content: bytes) -> None:
    if content.count(b"Q") > MOST_TENSORS:
        _check_count(path, sum(1 for _ in islice(STORAGE.finditer(content), MOST_TENSORS + 1)))
    if sum(map(content.count, DONE)) > MOST_TUPLES and any(len(run[0]) > DEEPEST for run in TUPLES.finditer(content)):
        raise BadRequest(f"{path}: holds tuples within each other, thousands deep, as no checkpoint does.")


def _check_count(path: Path, tensors: int) -> None:
    if tensors > MOST_TENSORS:
        raise BadRequest(f"{path}: holds more than {MOST_TENSORS:,} tensors, which no network has that can be shown.")
