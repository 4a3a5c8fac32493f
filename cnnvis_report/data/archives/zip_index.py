"""The members of a zip archive, by its directory alone."""

import stat
import zipfile
from itertools import pairwise

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.archives.member import METHODS, Member, ZipEntry, safe_name
from cnnvis_report.errors import BadRequest

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
MOST_MEMBERS = 2_000_000
ENCRYPTED, UTF_8 = 0x1, 0x800  # flags


def zip_members(source: ByteSource, title: str) -> list[Member]:
    """The files in a zip archive; folders are none.

    Args:
        title: what messages call the archive.

    Raises:
        BadRequest: it has no directory, one that is damaged or too large, or members that lie within each other.
    """
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except MemoryError as error:
        raise BadRequest(f"{title}: its directory is too large.") from error
    except OSError as error:
        raise BadRequest(f"{title}: can't be read as a zip archive ({error.strerror or error}).") from error
    except Exception as error:  # zipfile raises whatever comes on a damaged directory
        raise BadRequest(
            f"{title}: not a zip archive, or a damaged one: its directory, which is at the end, can't be read."
        ) from error
    if len(infos) > MOST_MEMBERS:
        raise BadRequest(f"{title}: {len(infos):,} members; an archive of at most {MOST_MEMBERS:,} is read.")
    _check_overlaps(infos, title)
    return [_member(info, source) for info in infos if not info.is_dir()]


def _check_overlaps(infos: list[zipfile.ZipInfo], title: str) -> None:
    """Refuse an archive in which several members share bytes."""
    in_order = sorted(infos, key=lambda info: info.header_offset)
    for first, second in pairwise(in_order):
        if second.header_offset < first.header_offset + 30 + first.compress_size:
            raise BadRequest(
                f"{title}: {first.filename[:80]!r} and {second.filename[:80]!r} share bytes, as in an archive that is "
                "made to fill disks; it isn't read."
            )


def _member(info: zipfile.ZipInfo, source: ByteSource) -> Member:
    name, problem = safe_name(_name(info))
    mode = info.external_attr >> 16
    if info.flag_bits & ENCRYPTED:
        problem = problem or "it is encrypted"
    elif stat.S_ISLNK(mode):
        problem = problem or "a link, and links in archives aren't followed"
    elif info.header_offset < 0:
        problem = problem or "it begins before the archive does, whose directory is damaged"
    elif info.compress_type not in METHODS:
        problem = problem or f"compressed by method {info.compress_type} of zip, which isn't read; deflate is"
    if problem:
        return Member(name, info.file_size, None, problem, info.header_offset)
    key = f"{source.label}{info.header_offset} {name}"
    entry = ZipEntry(
        *(source.container, key, source, info.header_offset),
        *(info.compress_size, info.file_size, info.compress_type, info.CRC),
    )
    return Member(name, info.file_size, entry, "", info.header_offset)


def _name(info: zipfile.ZipInfo) -> str:
    """The name; where nothing says how it is written, in UTF-8 if it can be, as macOS writes it."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
