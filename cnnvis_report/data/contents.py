"""The contents of a set's images: one object for each file, however many images are in it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cnnvis_report.data.content_hash import FileContent, Replaced
from cnnvis_report.data.entry_content import EntryContent
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.reader import Source

P = TypeVar("P")


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


def opener(file: FileContent, decode: Callable[[Source, str], P]) -> Callable[[], P]:
    """What decodes a content when it is needed, and says why where it can't."""

    def read() -> P:
        if problem := file.problem():
            raise UnusablePicture(problem)
        try:
            source = file.open()
        except Replaced as error:
            raise UnusablePicture(str(error)) from error
        except OSError:
            source = file.path  # the decoder will say why
        picture = decode(source, ending(file.path))
        if source is file.path:  # it may have been replaced between its hash and its pixels
            try:
                file.check()
            except Replaced as error:
                raise UnusablePicture(str(error)) from error
        return picture

    return read
