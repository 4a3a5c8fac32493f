"""What a file holds, told by all of it: hashed as it is read, or remembered for as long as nothing touches it."""

import errno
import os
import time
from collections.abc import Mapping
from hashlib import blake2b, file_digest
from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from cnnvis_report.errors import CnnVisError

SETTLED = 2_000_000_000  # nanoseconds; a file written again within a tick of its clock keeps its times
IN_MEMORY = 1 << 28  # bytes of a file that are held while it is decoded
TRIES = 3  # at reading a file that somebody writes

Facts = tuple[int, ...]


class Replaced(CnnVisError):
    """A file that doesn't hold what it held when it was first read; the message is the reason alone."""


class FileContent:
    """The content of one file, as it was when it was last read through this object.

    There may be millions of them, so they hold texts and digests: paths and numbers take five times as much memory.

    Args:
        path: of the file, which may not be there.
    """

    __slots__ = ("_digest", "_path", "_read", "_stamp", "replaced")

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.replaced = False  # whether it was found to hold something else than when it was first read
        self._digest = ""
        self._stamp = b""  # of the state that it was surely read in; see `stamp_of`
        self._read = b""  # the state that it was last read in; empty where it wasn't

    @property
    def path(self) -> Path:
        """Of the file."""
        return Path(self._path)

    def problem(self) -> str:
        """Why there is nothing to be read, as far as the file's state tells; empty where there is something."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "there is no such file"
        except OSError as error:  # such as a folder on the way that may not be looked into
            return f"it can't be looked at ({error.strerror})"
        if not S_ISREG(status.st_mode):
            return "not a regular file"
        return "" if status.st_size else "an empty file"

    def open(self) -> Path | BinaryIO:
        """What a decoder is given: the very bytes that are hashed; the path, where they are too many to be held.

        Raises:
            OSError: it may not be read.
            Replaced: it doesn't hold what it held when it was first read, or is being written.
        """
        if not self.path.is_file():  # a pipe would never answer
            raise OSError(errno.EINVAL, "not a regular file")
        for _ in range(TRIES):
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                settled = is_settled(status)
                if status.st_size > IN_MEMORY:  # twice through the disk, before as much memory again
                    if not self._untouched(status):
                        self._note(file_digest(file, content_digest).hexdigest(), status, sure=settled)
                    return self.path
                content = file.read()
                if self._untouched(status):
                    return BytesIO(content)
                if file_facts(os.fstat(file.fileno())) == file_facts(status):
                    self._note(content_digest(content).hexdigest(), status, sure=settled)
                    return BytesIO(content)
        raise Replaced("it is being written while it is read")

    def check(self) -> None:
        """Look whether the file still holds what was read of it; one that is gone does no harm any more.

        Raises:
            Replaced: it doesn't.
        """
        try:
            status = self.path.stat()
            if not self._read or not S_ISREG(status.st_mode) or state_of(status) == self._read:
                return
            with self.path.open("rb") as file:
                digest = file_digest(file, content_digest).hexdigest()
        except OSError:
            return
        self._note(digest, status, sure=is_settled(status))

    def digest(self) -> str:
        """Of the content that was last read; of what the file holds now, where nobody has read it."""
        if not self._digest:
            try:
                if not self.path.is_file():  # a pipe would never answer
                    return "absent"
                with self.path.open("rb") as file:
                    status = os.fstat(file.fileno())
                    settled = is_settled(status)
                    digest = file_digest(file, content_digest).hexdigest()
                    whole = file_facts(os.fstat(file.fileno())) == file_facts(status)
                    self._note(digest, status, sure=settled and whole)
            except OSError:
                return "unreadable"
        return self._digest

    def recall(self, known: Mapping[str, str]) -> None:
        """Take the digest from earlier reading, if the file is as it was then."""
        status = None if self._digest else self._status()
        if status is not None and (stamp := self._stamp_of(status)) in known:
            self._digest, self._stamp, self._read = known[stamp], bytes.fromhex(stamp), state_of(status)

    @property
    def remembered(self) -> dict[str, str]:
        """The digest by a stamp that no other state of any file has; nothing where that isn't sure."""
        return {self._stamp.hex(): self._digest} if self._stamp else {}

    def _status(self) -> os.stat_result | None:
        """The state of the file that tells whether the content can have changed; None where nothing tells."""
        try:
            return self.path.stat()
        except OSError:
            return None

    def _stamp_of(self, status: os.stat_result) -> str:
        return stamp_of(self.path, status)

    def _untouched(self, status: os.stat_result) -> bool:
        return bool(self._stamp) and self._stamp_of(status) == self._stamp.hex()

    def _note(self, digest: str, status: os.stat_result | None, *, sure: bool) -> None:
        """Keep what was read."""
        if self._digest not in ("", digest):
            self.replaced = True
            raise Replaced("it was replaced by another file while the run went on")
        self._digest, self._read = digest, state_of(status) if status is not None else b""
        self._stamp = bytes.fromhex(self._stamp_of(status)) if sure and status is not None else b""


def file_facts(status: os.stat_result) -> Facts:
    """What tells one state of a file from another, without its content."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def state_of(status: os.stat_result) -> bytes:
    """The same, as a digest that takes little memory."""
    return blake2b(repr(file_facts(status)).encode(), digest_size=16).digest()


def content_digest(content: bytes = b"") -> "blake2b":
    """The hash by which contents are told apart."""
    return blake2b(content, digest_size=16)


def is_settled(status: os.stat_result) -> bool:
    """Whether the file's times lie far enough back that any later writing changes them."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED


def stamp_of(path: Path, status: os.stat_result, part: str = "") -> str:
    """Of path, place on the disk, size and times; the time of the last change too, which nobody can set back.

    A hash, so that a report that is handed on tells of no folder.

    Args:
        part: of the file, where it isn't about all of it.
    """
    facts = (str(path.absolute()), *file_facts(status), *([part] if part else []))
    return blake2b(repr(facts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
