"""Members of archives: what each is called, and where its bytes are."""

import bz2
import re
import zlib
from dataclasses import dataclass

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.entry import Entry, check_bytes
from cnnvis_report.data.formats import HEAD
from cnnvis_report.data.pixels import UnusablePicture

OUTSIDE = "its name leads out of the archive"
LONGEST = 1000  # characters of a name
LOCAL_HEAD = 30  # bytes of a zip's local header before the name
STORED, DEFLATED, BZIP2 = 0, 8, 12
METHODS = {STORED: "stored", DEFLATED: "deflate", BZIP2: "bzip2"}
RATIO, FREE = 200, 1 << 25  # what unpacks to more than so many times its size, from so many bytes on, is a bomb


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, by its name there.

    problem: why it can't be read, by what the archive says of it; empty where it can. offset: where it lies.
    """

    name: str
    size: int
    entry: Entry | None
    problem: str = ""
    offset: int = 0


def safe_name(name: str) -> tuple[str, str]:
    """A member's name as it is shown, with / between folders, and why it is refused.

    It is never a path of this computer; one that leads out of the archive was made to harm somebody's.
    """
    plain = name.replace("\\", "/")
    if not plain.isprintable():
        plain = re.sub(r"[\x00-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", plain)
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    shown = "/".join(parts)
    if len(shown) > LONGEST:
        return shown[:LONGEST], f"its name has {len(shown)} characters"
    outside = plain.startswith("/") or ".." in parts or plain[1:2] == ":"
    return shown, OUTSIDE if outside else ""


@dataclass(frozen=True)
class PartEntry(Entry):
    """Bytes that lie in an archive as they are, as a tar's do."""

    source: ByteSource
    offset: int
    size: int

    def read(self) -> bytes:
        """All of them."""
        check_bytes(self.size)
        content = self.source.read_at(self.offset, self.size)
        if len(content) < self.size:
            raise UnusablePicture("the archive is cut short within it")
        return content

    def _head(self) -> bytes:
        """None where each reading takes a while."""
        return b"" if self.source.slow else self.source.read_at(self.offset, min(HEAD, self.size))


@dataclass(frozen=True)
class TextEntry(Entry):
    """A small text that was read while the archive was listed."""

    text: bytes

    def read(self) -> bytes:
        """The text."""
        return self.text


@dataclass(frozen=True)
class ZipEntry(Entry):
    """A member of a zip archive, with what the archive's directory says of it."""

    source: ByteSource
    offset: int
    packed: int
    size: int
    method: int
    crc: int

    def read(self) -> bytes:
        """All of its bytes, checked by their sum."""
        check_bytes(self.size)
        if self.size > FREE and self.size > RATIO * self.packed:
            raise UnusablePicture(f"it unpacks to more than {RATIO} times its size")
        content = self._unpacked(self.size)
        if len(content) != self.size or zlib.crc32(content) != self.crc:
            raise UnusablePicture("its bytes aren't those that the archive's directory says")
        return content

    def _head(self) -> bytes:
        """Few have to be unpacked for it; none where each reading takes a while."""
        return b"" if self.source.slow else self._unpacked(min(self.size, HEAD))

    def start(self) -> int:
        """Where its bytes begin, behind a header whose length only it says.

        Raises:
            UnusablePicture: there is no header.
        """
        return self.offset + _header_length(self.source.read_at(self.offset, LOCAL_HEAD))

    def _unpacked(self, count: int) -> bytes:
        """At most so many bytes and one, so that it shows where there are more than the directory says."""
        whole = count == self.size or self.method == BZIP2
        room = LOCAL_HEAD + len(self.key) + (self.packed + 256 if whole else HEAD + 512)
        block = self.source.read_at(self.offset, room)
        start = _header_length(block)
        missing = start + self.packed - len(block) if whole else 0
        if missing > 0:  # a header with more in it than is usual
            block += self.source.read_at(self.offset + len(block), missing)
        packed = memoryview(block)[start : start + self.packed]
        try:
            if self.method == STORED:
                return bytes(packed[:count])
            if self.method == DEFLATED:
                return zlib.decompressobj(-15).decompress(packed, count + 1 if whole else count)
            return bz2.BZ2Decompressor().decompress(packed, count + 1 if whole else count)
        except (zlib.error, OSError, ValueError) as error:
            raise UnusablePicture("its bytes are damaged, or aren't compressed as the archive says") from error


def _header_length(block: bytes) -> int:
    if block[:4] != b"PK\x03\x04" or len(block) < LOCAL_HEAD:
        raise UnusablePicture("the archive is damaged: where it should begin is something else")
    return LOCAL_HEAD + int.from_bytes(block[26:28], "little") + int.from_bytes(block[28:30], "little")
