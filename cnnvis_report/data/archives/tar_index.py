"""The members of a tar archive, compressed or not, by going through its headers once."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.archives.decompressed import Decompressed
from cnnvis_report.data.archives.member import Member, PartEntry, TextEntry, safe_name
from cnnvis_report.data.archives.sidecars import sidecar_kind
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest

CODECS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
MOST_MEMBERS, MOST_TEXTS = 2_000_000, 1 << 26
BLOCK = 512


def codec_of(head: bytes) -> str:
    """By what a file that begins so is compressed; empty where by nothing that is known."""
    return next((codec for magic, codec in CODECS.items() if head.startswith(magic)), "")


def is_tar(source: ByteSource) -> bool:
    """Whether it is a tar archive, by its first header, compressed or not."""
    try:
        block = unpacked(source).read_at(0, BLOCK)
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (OSError, UnusablePicture, tarfile.HeaderError, ValueError):
        return False
    return True


def unpacked(source: ByteSource) -> ByteSource:
    """The source itself, or what it unpacks to."""
    codec = codec_of(source.read_at(0, 8))
    return Decompressed(source, codec) if codec else source


@dataclass
class TarIndex:
    """The files in a tar archive, how it is compressed, and why no more of them are there, if anything is wrong."""

    members: list[Member] = field(default_factory=list)
    codec: str = ""
    problem: str = ""


def tar_members(source: ByteSource, title: str) -> TarIndex:
    """Go through a tar archive.

    Args:
        title: what messages call it.

    Raises:
        BadRequest: it can't be read, or is a bomb.
    """
    index = TarIndex(codec=codec_of(source.read_at(0, 8)))
    plain = unpacked(source)
    by_name: dict[str, Member] = {}
    texts = 0  # bytes of labels that are read while passing, where to come back for them takes long
    try:
        with plain.open() as file, tarfile.open(fileobj=file, mode="r:", errors="surrogateescape") as archive:
            for info in _infos(archive):
                member = _member(info, plain, by_name)
                if (plain.slow or index.codec) and sidecar_kind(member) and texts < MOST_TEXTS:
                    file.seek(info.offset_data)
                    texts += info.size
                    member = replace(
                        member,
                        entry=TextEntry(
                            plain.container, f"{plain.label}{info.offset_data} {member.name}", file.read(info.size)
                        ),
                    )
                by_name[member.name] = member
                index.members.append(member)
                if len(index.members) > MOST_MEMBERS:
                    raise BadRequest(f"{title}: an archive of at most {MOST_MEMBERS:,} members is read.")
    except BadRequest:
        raise
    except UnusablePicture as error:
        if "times its size" in str(error):
            raise BadRequest(f"{title}: {error}, as archives do that are made to fill disks; it isn't read.") from error
        index.problem = str(error)
    except Exception as error:  # tarfile raises whatever comes on a damaged header
        index.problem = f"{error or type(error).__name__}"
    if index.problem and not index.members:
        raise BadRequest(f"{title}: not a tar archive, or a damaged one ({index.problem}).")
    return index


def _infos(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The headers, none of which tarfile holds on to."""
    while (info := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]
        if not info.isdir():
            yield info


def _member(info: tarfile.TarInfo, source: ByteSource, by_name: dict[str, Member]) -> Member:
    name, problem = safe_name(info.name)
    if info.islnk() and not problem:  # another name for a file that came before
        target, _ = safe_name(info.linkname)
        original = by_name.get(target)
        if original is not None:
            return Member(name, original.size, original.entry, original.problem, original.offset)
        problem = "a link to what isn't in the archive before it"
    if info.issym():
        problem = problem or "a link, and links in archives aren't followed"
    elif not info.isfile() or info.issparse():
        problem = problem or "no regular file"
    if problem:
        return Member(name, info.size, None, problem, info.offset_data)
    entry = PartEntry(source.container, f"{source.label}{info.offset_data} {name}", source, info.offset_data, info.size)
    return Member(name, info.size, entry, "", info.offset_data)
