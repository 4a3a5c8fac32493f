"""Compressed bytes that are read from any offset, without unpacking them to the disk or holding all of them."""

import bz2
import lzma
import zlib
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.pixels import UnusablePicture

CHUNK = 1 << 18  # bytes that go in, or come out, at a time
SPACING = 1 << 22  # bytes between states to which gzip's decompressor can return, at first
MOST_STATES = 256  # of some 40 kB
MOST_BEHIND = {
    "gzip": 1 << 22,
    "deflate": 1 << 22,
    "bzip2": 1 << 26,
    "xz": 1 << 26,
}  # bytes behind it that need no return
RATIO, FREE = 200, 1 << 28  # what unpacks to more than so many times its size, from so many bytes on, is refused
BOMB = f"it unpacks to more than {RATIO} times its size"
DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(-15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=1 << 28),
}


class Decompressed(ByteSource):
    """What a source unpacks to.

    Bytes are read in one direction. To go back costs little for gzip and deflate, whose states on the way are
    remembered; bzip2 and xz begin anew where it is further than 64 MB.

    Args:
        compressed: the source. codec: a key of `DECOMPRESSORS`. size: bytes that it unpacks to, where somebody says.
    """

    def __init__(self, compressed: ByteSource, codec: str, size: int | None = None) -> None:
        self._codec, self._size = codec, size
        self.container, self.label = compressed.container, compressed.label
        self._lock = Lock()
        self._stream = _Stream(compressed, codec)
        self._states: list[_Stream] = [self._stream.copy()]
        self._spacing = SPACING
        self._behind: deque[tuple[int, bytes]] = deque()  # chunks with the offsets at which they begin
        self._bytes_behind = 0

    @property
    def size(self) -> int:
        """As somebody says, or else as reading to the end tells."""
        if self._size is not None:
            return self._size
        with self._lock:
            while self._advance()[1]:
                pass
            return self._stream.unpacked

    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset.

        Raises:
            UnusablePicture: it is damaged, or a bomb.
        """
        with self._lock:
            self._return_to(offset)
            parts, at, end = [], offset, offset + count
            waiting = [(start, chunk) for start, chunk in self._behind if start + len(chunk) > at and start < end]
            while at < end:
                start, chunk = waiting.pop(0) if waiting else self._advance()
                if not chunk:
                    break
                if start + len(chunk) > at:
                    parts.append(chunk[at - start : end - start])
                    at += len(parts[-1])
            return b"".join(parts)

    def _return_to(self, offset: int) -> None:
        """Be at or before an offset, by the nearest way."""
        first = self._behind[0][0] if self._behind else self._stream.unpacked
        nearest = next(state for state in reversed(self._states) if state.unpacked <= offset)
        if first <= offset and nearest.unpacked <= self._stream.unpacked:
            return
        self._stream = nearest.copy()
        self._behind.clear()
        self._bytes_behind = 0

    def _advance(self) -> tuple[int, bytes]:
        """The next chunk, and where it begins; nothing at the end."""
        if self._codec in ("gzip", "deflate") and self._stream.unpacked >= self._states[-1].unpacked + self._spacing:
            self._states.append(self._stream.copy())
            if len(self._states) > MOST_STATES:
                self._states, self._spacing = self._states[::2], self._spacing * 2
        start, chunk = self._stream.unpacked, self._stream.next_chunk()
        self._behind.append((start, chunk))
        self._bytes_behind += len(chunk)
        while self._bytes_behind - len(self._behind[0][1]) > MOST_BEHIND[self._codec]:
            self._bytes_behind -= len(self._behind.popleft()[1])
        return start, chunk


class _Stream:
    """A decompressor on its way through compressed bytes.

    Attributes:
        unpacked: bytes that have come out.
    """

    def __init__(self, compressed: ByteSource, codec: str) -> None:
        self._compressed, self._codec = compressed, codec
        self._decompressor = DECOMPRESSORS[codec]()
        self._waiting = b""  # read, and not taken by the decompressor
        self._packed = self.unpacked = 0

    def copy(self) -> "_Stream":
        """The same state once more; for bzip2 and xz, whose states can't be copied, the beginning."""
        other = _Stream(self._compressed, self._codec)
        if hasattr(self._decompressor, "copy"):
            other._decompressor, other._waiting = self._decompressor.copy(), self._waiting
            other._packed, other.unpacked = self._packed, self.unpacked
        return other

    def next_chunk(self) -> bytes:
        """At most `CHUNK` bytes; nothing at the end.

        Raises:
            UnusablePicture: they are damaged, or too many for what they come from.
        """
        try:
            chunk = self._next()
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise UnusablePicture("what holds it is damaged, or isn't compressed as it says") from error
        self.unpacked += len(chunk)
        if self.unpacked > FREE and self.unpacked > RATIO * self._packed:
            raise UnusablePicture(BOMB)
        return chunk

    def _next(self) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data or self._waiting
                self._waiting = (rest or self._more()).lstrip(b"\0")
                if self._codec == "deflate" or not self._waiting:
                    return b""
                self._decompressor = DECOMPRESSORS[self._codec]()  # several, one behind the other
            if not self._waiting and getattr(self._decompressor, "needs_input", True):
                self._waiting = self._more()
                if not self._waiting:
                    return b""
            chunk: bytes = self._decompressor.decompress(self._waiting, CHUNK)
            self._waiting = getattr(self._decompressor, "unconsumed_tail", b"")
            if chunk:
                return chunk

    def _more(self) -> bytes:
        content = self._compressed.read_at(self._packed, CHUNK)
        self._packed += len(content)
        return content
