"""The contents of a set's images: one object for each file, however many images are in it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cnnvis_report.data.content.content_hash import FileContent, Replaced
from cnnvis_report.data.content.entry_content import EntryContent
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
