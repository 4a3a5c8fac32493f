"""Readers: each opens one kind of image file and announces itself with `@reader`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cnnvis_report.data.pixels import Pixels, UnusablePicture
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.extensions.requirements import not_installed

Source = Path | BinaryIO
ReadFunction = Callable[[Source, int], Pixels]
Deep = bool | Callable[[Source], bool]
OURS = "cnnvis_report."
FALLBACK = "pillow"  # which says of a file that nobody knows what it is


@dataclass(frozen=True)
class Reader:
    """One kind of image file.

    title: what it reads, as in "a DICOM file". endings: of such files' names, in lower case. recognizes: whether a file
    that begins with these bytes is of this kind, whatever it is called. read: decodes the image of a page. count: how
    many images a file has. deep: whether they have more than 8 bits a channel, of all such files or of one. requires:
    modules that it imports. install: what pip installs to have them. unit: what one image of a file is called.
    """

    name: str
    title: str
    endings: frozenset[str]
    recognizes: Callable[[bytes], bool]
    read: ReadFunction
    count: Callable[[Source], int] | None = None
    deep: Deep = False
    requires: tuple[str, ...] = ()
    install: str = ""
    unit: str = "page"

    @property
    def missing(self) -> str:
        """Why files of this kind can't be read here; empty where they can."""
        absent = not_installed(self.requires, self.install)
        return absent and f"{self.title}, and {absent}"


READERS = Registry[Reader]("reader", group="cnnvis_report.readers", package="cnnvis_report.data.readers")


def reader(
    *,
    title: str,
    endings: Iterable[str],
    recognizes: Callable[[bytes], bool] = lambda _: False,
    count: Callable[[Source], int] | None = None,
    deep: Deep = False,
    requires: tuple[str, ...] = (),
    install: str = "",
    unit: str = "page",
) -> Callable[[ReadFunction], ReadFunction]:
    """Announce a function `(source, page) -> Pixels` as what reads one kind of image file.

    The function's name is the reader's. `source` is a path or an open file, `page` counts from 0. Files are a
    stranger's: the reader runs nothing in them, looks at the size of an image before it decodes it, and raises
    `UnusablePicture` with the reason alone, without the file's name; whatever else it raises is said to be damage. It
    gives `Pixels.of_image` of a Pillow image or `Pixels.of_array` of numbers; transparency, orientation, the range of
    values, resizing and normalization are the same for all readers.

    Args:
        title: what it reads, as messages say it, such as "a DICOM file".
        endings: of such files' names, in lower case with the dot.
        recognizes: of a file's first bytes, up to 4096, whether it is of this kind, whatever it is called.
        count: of a path or an open file, how many images it has; one where it is None. It must not decode them.
        deep: whether the images have more than 8 bits a channel, so that all of a set are read alike; or what says so
            of a path or an open file.
        requires: modules that are imported while reading; files are skipped, with the reason, where one is missing.
        install: what pip has to install to have them, such as "cnnvis-report[dicom]".
        unit: what one image of a file is called, such as "slice".

    Raises:
        BadRequest: another module has a reader of this name.
    """

    def announce(function: ReadFunction) -> ReadFunction:
        name = function.__name__
        entry = Reader(name, title, frozenset(endings), recognizes, function, count, deep, requires, install, unit)
        READERS.add(name, entry, function.__module__)
        return function

    return announce


def readers() -> tuple[Reader, ...]:
    """All readers; those of installed packages first, so that they may read better what ours read too."""
    return tuple(sorted(READERS.entries().values(), key=_order))


def _order(entry: Reader) -> tuple[bool, bool, str]:
    return entry.name == FALLBACK, entry.read.__module__.startswith(OURS), entry.name


def reader_for(head: bytes, ending: str = "") -> Reader:
    """The reader that recognizes a file by its first bytes, else the one for its ending, else Pillow."""
    known = readers()
    by_head = (entry for entry in known if _recognizes(entry, head))
    by_ending = (entry for entry in known if ending in entry.endings)
    return next(by_head, next(by_ending, known[-1]))


def is_recognized(head: bytes) -> bool:
    """Whether a file that begins so can be read, whatever it is called."""
    return any(_recognizes(entry, head) and not entry.missing for entry in readers())


def missing_for(head: bytes) -> str:
    """Why a file that begins so can't be read here, where a reader recognizes it; else empty."""
    return next((entry.missing for entry in readers() if _recognizes(entry, head)), "")


def _recognizes(entry: Reader, head: bytes) -> bool:
    try:
        return bool(entry.recognizes(head))
    except Exception:  # of somebody else's reader, about a file that isn't its own
        return False


def endings() -> frozenset[str]:
    """Of the names of all files that are read."""
    return frozenset().union(*(entry.endings for entry in readers()))


def check_pixels(pixels: object) -> Pixels:
    """What a reader has given, if it is that.

    Raises:
        UnusablePicture: it isn't.
    """
    if not isinstance(pixels, Pixels):
        raise UnusablePicture(f"its reader gives a {type(pixels).__name__} in the place of pixels")
    return pixels
