"""What was found where images were looked for, before any of it is decoded."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from cnnvis_report.data.entry import Entry
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.errors import LONGEST
from cnnvis_report.records.run import Skipped


@dataclass(frozen=True)
class ImageFile:
    """A file that may be an image: where, under which name, in which folder, the label a list gives it, its mask.

    path: of the file; of an entry, what it is called there, for its ending alone. folder: the innermost one below what
    was given. labels: what a list says of it, as it stands there. mask: a file of its own, or what an annotation says.
    page: of a TIFF with several, counted from 0. deep: whether its head says that it has more than 8 bits a channel.
    bare: whether a list says that it bears none of its labels. entry: what it is, where it is no file of its own.
    """

    path: Path
    name: str
    folder: str = ""
    labels: tuple[str, ...] = ()
    mask: Path | Annotation | None = None
    page: int = 0
    deep: bool = False
    bare: bool = False
    entry: Entry | None = None

    def source(self) -> Path | BinaryIO:
        """What a decoder is given.

        Raises:
            UnusablePicture, OSError: it is an entry that can't be read.
        """
        return self.path if self.entry is None else BytesIO(self.entry.read())

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that it lies in, below the one that was given."""
        return tuple(self.name.split("/")[:-1]) if self.folder else ()


@dataclass(frozen=True)
class FoundImages:
    """Files in order.

    skipped: those that look like images and aren't read. notices: what a user has to know of the search, a sentence
    each. top: the folder that was given, where it was one, and `subfolders` the names of those directly below it,
    empty ones too. classes: names of the classes that labels which are numbers count, where a data set says so.
    """

    files: tuple[ImageFile, ...]
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[str, ...] = ()
    top: str = ""
    subfolders: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[ImageFile]:
        return iter(self.files)

    def __getitem__(self, index: int) -> ImageFile:
        return self.files[index]

    def only(self, wanted: Callable[[ImageFile], object]) -> "FoundImages":
        """Those files alone, of all that was found."""
        return replace(self, files=tuple(file for file in self.files if wanted(file)))


def natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts dog2 before dog10; for what is shown, never for what stands for a class."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts if part] + [
        (2, name)
    ]


def several(names: list[str], most: int = 3) -> str:
    """The first few of some names, which are a stranger's and may go on and on, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    cut = [name if len(name) <= LONGEST else f"{name[:LONGEST]}… ({len(name)} characters)" for name in names[:most]]
    return ", ".join(map(readable, cut)) + more


def readable(name: str) -> str:
    """Without the halves of characters that a file system may hand out, which no page can carry."""
    return name.encode("utf-8", "replace").decode("utf-8")
