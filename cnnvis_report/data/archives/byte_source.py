"""Bytes that are read from any offset, by several threads, wherever they lie."""

import errno
import io
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

MOST_AT_ONCE = 1 << 27  # bytes; what asks for more is no header of an archive
BUFFER = 1 << 13


class ByteSource(ABC):
    """A file, a part of one, or what is behind an address.

    slow: whether each reading is a request to a server, so that nothing is read before it is needed. container: the
    file that holds it; None where it is no file. label: tells it from others without a container.
    """

    slow: ClassVar[bool] = False
    container: Path | None
    label: str = ""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes in all, as far as anybody says.

        Raises:
            OSError: nobody can say.
        """

    @abstractmethod
    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset, fewer at the end.

        Raises:
            OSError: they can't be read.
        """

    def open(self, buffer: int = BUFFER) -> BinaryIO:
        """An open file over it, which refuses to be read by more than `MOST_AT_ONCE` bytes at a time."""
        return io.BufferedReader(_SourceFile(self), buffer)


@dataclass(frozen=True)
class LocalBytes(ByteSource):
    """A file; it is opened for each reading, so that as many archives as one likes stay closed."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "container", self.path)

    @property
    def size(self) -> int:
        """As the file system says."""
        return self.path.stat().st_size

    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            content = file.read(count)
            while len(content) < count and (more := file.read(count - len(content))):
                content += more
        return content


class BytesPart(ByteSource):
    """So many bytes of another source."""

    def __init__(self, whole: ByteSource, start: int, count: int) -> None:
        self._whole, self._start, self._count = whole, start, count
        self.container, self.label = whole.container, whole.label

    @property
    def size(self) -> int:
        """As was said when the part was found."""
        return self._count

    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset, none from behind the part."""
        return self._whole.read_at(self._start + offset, max(0, min(count, self._count - offset)))


class _SourceFile(io.RawIOBase):
    """A source as a file that can be searched."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self._at = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if len(buffer) > MOST_AT_ONCE:
            raise OSError(errno.EFBIG, f"a header of {len(buffer)} bytes")
        content = self._source.read_at(self._at, len(buffer))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = max(0, offset + (self._source.size if start is None else start))
        return self._at

    def tell(self) -> int:
        return self._at
