"""Files of arrays, written member by member: the same bytes for the same arrays, and members that can be moved.

Heads of arrays are read as a stranger's.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from struct import unpack
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.files.atomic import beside
from cnnvis_report.store.files.digests import digest_of

LEVEL = 1  # of deflation: maps are noise in their last bits; more gains a hundredth, and takes three times as long
PROBE, GAIN = 8192, 0.9  # bytes that are tried, and the share of them that deflation has to get below
UNIX, READABLE = 3, 0o600  # what a member says of the system that made it, and of who may read it
LOCAL_HEADER = 30  # bytes before a member's name
END, END_64, LOCATOR_64 = 22, 56, 20  # bytes of what a file ends with, last to first, where nothing follows it
DIRECTORY = 64 << 20  # bytes of the list of members, which takes ten times as many when it is read
LONGEST_HEADER = 4096  # bytes
READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]

_parsing = Lock()  # before Python 3.11.8 and 3.12.2, two threads that parse at once may get a SystemError (gh-106905)


def read_header(file: BinaryIO) -> Header:
    """The shape, whether columns come first, and the kind of number; whatever NumPy raises of a damaged header.

    Raises:
        ValueError: among others; it is of a version that no array of numbers needs.
    """
    version = npy.read_magic(file)
    if version not in READ_HEADER:
        raise ValueError(f"an array of version {'.'.join(map(str, version))}")
    with _parsing:
        return READ_HEADER[version](file, max_header_size=LONGEST_HEADER)


@dataclass(frozen=True)
class Member:
    """An array as it stands in a file: packed, with what a reader checks it by."""

    name: str
    content: bytes
    method: int
    size: int
    crc: int


def packed(key: str, array: npt.NDArray[Any], *, deflated: bool) -> Member:
    """Pack an array as `numpy.save` writes it.

    Args:
        deflated: whether it is deflated, if a part of its middle gets a tenth smaller by that; noise doesn't, and would
            take time to write and to read for nothing.
    """
    stream = io.BytesIO()
    npy.write_array(stream, np.asanyarray(array), allow_pickle=False)
    plain = stream.getvalue()
    content, method = plain, zipfile.ZIP_STORED
    middle = len(plain) // 2
    probe = plain[max(0, middle - PROBE // 2) : middle + PROBE // 2]
    if deflated and len(_deflated(probe)) < GAIN * len(probe):
        content, method = _deflated(plain), zipfile.ZIP_DEFLATED
    return Member(f"{key}.npy", content, method, len(plain), zlib.crc32(plain))


def _deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


def write_members(path: Path, members: Iterable[Member]) -> StoredFile:
    """Write a file of arrays; what its bytes are known by.

    Raises:
        OSError: the disk is full, say, or the folder is gone.
    """
    with beside(path, parents=False) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            for member in members:
                _append(archive, member)
        return digest_of(temporary)


def members_listed(file: BinaryIO, most: int) -> list[zipfile.ZipInfo]:
    """The directory of a file, after a look at what it will take: any count of members is claimed in a few bytes.

    Raises:
        ValueError: it lists more than so many. BadZipFile: it is none of ours.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(-min(size, END + LOCATOR_64 + END_64), io.SEEK_CUR)
    tail = file.read()
    end, locator, end_64 = tail[-END:], tail[-END - LOCATOR_64 : -END], tail[: -END - LOCATOR_64]
    if len(end) < END or not end.startswith(b"PK\5\6") or end[-2:] != b"\0\0":
        raise zipfile.BadZipFile("has no end")
    is_64 = locator.startswith(b"PK\6\7") and len(end_64) == END_64
    length = int.from_bytes(end_64[40:48] if is_64 else end[12:16], "little")
    if length > DIRECTORY:
        raise ValueError(f"a list of its arrays of {length} bytes")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if len(members) > most:
        raise ValueError(f"{len(members)} arrays")
    return members


def members_in(file: BinaryIO, most: int) -> Iterator[Member]:
    """The members of a file as they stand there, so many at most."""
    yield from members_of(file, members_listed(file, most))


def members_of(file: BinaryIO, infos: Iterable[zipfile.ZipInfo]) -> Iterator[Member]:
    """Some of them."""
    for info in infos:
        yield Member(info.filename, raw_content(file, info), info.compress_type, info.file_size, info.CRC)


def moved(members: Iterable[Member], prefix: str) -> Iterator[Member]:
    """The members with another beginning of their names."""
    for member in members:
        yield replace(member, name=prefix + member.name)


def raw_content(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """The packed bytes of a member.

    Raises:
        BadZipFile: there is no member where the file's directory says so.
    """
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    if len(header) < LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile(f"{info.filename!r} isn't where the directory says")
    file.seek(sum(unpack("<HH", header[-4:])), io.SEEK_CUR)
    content = file.read(info.compress_size)
    if len(content) != info.compress_size:
        raise zipfile.BadZipFile(f"{info.filename!r} is cut short")
    return content


def content_of(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, which takes no more memory than the directory says.

    Raises:
        BadZipFile: they aren't those that were written. zlib.error: they can't be unpacked.
    """
    raw = raw_content(file, info)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, info.file_size + 1)
    if len(raw) != info.file_size or zlib.crc32(raw) != info.CRC:
        raise zipfile.BadZipFile(f"{info.filename!r} isn't as it was written")
    return raw


def _append(archive: zipfile.ZipFile, member: Member) -> None:
    """Put a member that is packed already at the end of a file."""
    file = archive.fp
    if file is None:
        raise ValueError("the file is closed")
    info = zipfile.ZipInfo(member.name)
    info.create_system, info.external_attr = UNIX, READABLE << 16  # wherever it is written
    info.compress_type, info.CRC = member.method, member.crc
    info.compress_size, info.file_size = len(member.content), member.size
    info.header_offset = file.tell()
    file.write(info.FileHeader())
    file.write(member.content)
    archive.filelist.append(info)
    archive.NameToInfo[info.filename] = info
    archive.start_dir = file.tell()
