"""The contents of a set's images: one object for each file, however many images are in it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from cnnvis_report.data.content.content_hash import (
    FileContent,
    Replaced,
    content_digest,
    is_settled,
    stamp_of,
    state_of,
)
from cnnvis_report.data.entry import Entry
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.reader import Source

P = TypeVar("P")


class EntryContent(FileContent):
    """The content of one entry, as it was when it was last read through this object.

    Args:
        name: of the entry, for its ending alone.
    """

    __slots__ = ("_entry",)

    def __init__(self, entry: Entry, name: Path) -> None:
        super().__init__(name)
        self._entry = entry

    def problem(self) -> str:
        """Nothing: reading it tells."""
        return ""

    def open(self) -> Path | BinaryIO:
        """Its bytes.

        Raises:
            UnusablePicture: they can't be read.
            Replaced: they aren't what they were when they were first read.
        """
        return BytesIO(self._bytes())

    def check(self) -> None:
        """Look whether it still holds what was read of it; one that is gone does no harm any more.

        Raises:
            Replaced: it doesn't.
        """
        status = self._status()
        if not self._read or status is None or state_of(status) == self._read:
            return
        try:
            self._bytes()
        except UnusablePicture:
            return

    def digest(self) -> str:
        """Of the bytes that were last read, or are read now."""
        if not self._digest:
            try:
                self._bytes()
            except UnusablePicture:
                return "unreadable"
        return self._digest

    def _bytes(self) -> bytes:
        before = self._status()
        try:
            content = self._entry.read()
        except OSError as error:
            raise UnusablePicture(f"what holds it can't be read ({error.strerror or type(error).__name__})") from error
        after = self._status()
        whole = before is not None and after is not None and state_of(before) == state_of(after)
        sure = whole and before is not None and is_settled(before)
        self._note(content_digest(content).hexdigest(), before, sure=sure)
        return content

    def _stamp_of(self, status: os.stat_result) -> str:
        assert self._entry.container is not None  # whose state it is
        return stamp_of(self._entry.container, status, self._entry.key)

    def _status(self) -> os.stat_result | None:
        """That of the file around it."""
        try:
            return None if self._entry.container is None else self._entry.container.stat()
        except OSError:
            return None


class Contents:
    """Contents by where they are."""

    def __init__(self) -> None:
        self._files: dict[Path, FileContent] = {}
        self._entries: dict[tuple[Path | None, str], EntryContent] = {}

    def of(self, image: ImageFile) -> FileContent:
        """Of the file or the entry that an image is, or is a page of."""
        if image.entry is None:
            return self.of_file(image.path)
        where = (image.entry.container, image.entry.key)
        return self._entries.setdefault(where, EntryContent(image.entry, image.path))

    def of_file(self, path: Path) -> FileContent:
        """Of a file."""
        return self._files.setdefault(path, FileContent(path))


@dataclass(frozen=True, slots=True)
class Opener(Generic[P]):
    """Decodes a content when it is needed, and says why where it can't."""

    file: FileContent
    decode: Callable[[Source, str], P]

    def __call__(self) -> P:
        """What the content is."""
        file = self.file
        if problem := file.problem():
            raise UnusablePicture(problem)
        path = file.path
        try:
            source = file.open()
        except Replaced as error:
            raise UnusablePicture(str(error)) from error
        except OSError:
            source = path  # the decoder will say why
        picture = self.decode(source, ending(path))
        if isinstance(source, Path):  # it may have been replaced between its hash and its pixels
            try:
                file.check()
            except Replaced as error:
                raise UnusablePicture(str(error)) from error
        return picture
