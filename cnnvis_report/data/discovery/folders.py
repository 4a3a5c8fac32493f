"""Folders, searched for images: links are followed, and nothing that looks like an image vanishes without a word."""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cnnvis_report.data.discovery.report_folders import is_report
from cnnvis_report.data.formats import (
    ASIDE,
    HOLDERS,
    LISTS,
    UNREAD,
    content,
    ending,
    head_of,
    reason,
    unread,
)
from cnnvis_report.data.image_file import ImageFile, natural, several
from cnnvis_report.data.reader import endings, is_recognized, missing_for, reader_for
from cnnvis_report.records.run import Skipped

SYSTEM = {"Thumbs.db", "ehthumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN"}
LOOKED_AT = 200  # entries of a hidden folder


@dataclass
class Search:
    """Where one search for images stands.

    skipped: files that look like images and aren't read. aside: other files, counted by ending. hidden: folders with
    images whose names begin with a dot. loops: links to folders that they lie in, or that were searched already.
    reports: folders that this program has written.
    """

    skipped: list[Skipped] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)
    hidden: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    _seen: set[tuple[str, tuple[int, int]]] = field(default_factory=set)
    _readable: frozenset[str] = field(default_factory=endings)

    def add(self, other: "Search", before: str) -> None:
        """What another search has noted, its names with something before them."""
        self.skipped += [Skipped(before + skipped.name, skipped.reason) for skipped in other.skipped]
        self.aside += other.aside
        self.hidden += [before + name for name in other.hidden]
        self.loops += [before + name for name in other.loops]
        self.tables += other.tables
        self.reports += [(before + name).removesuffix("/.") for name in other.reports]

    def walk(self, top: Path, wanted: Collection[str] = ()) -> Iterator[ImageFile]:
        """The images in a folder and its sub-folders, in natural order within each.

        Args:
            wanted: endings of the only files that count; whatever can be read where there are none.
        """
        yield from self._walk(top, top, wanted, frozenset())

    def _walk(
        self, top: Path, folder: Path, wanted: Collection[str], above: frozenset[tuple[int, int]]
    ) -> Iterator[ImageFile]:
        inside = folder.relative_to(top)
        try:
            status = folder.stat()
            identity = (status.st_dev, status.st_ino)
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: natural(entry.name))
        except OSError as error:
            self.skipped.append(Skipped(inside.as_posix(), f"a folder that can't be read ({error.strerror})"))
            return
        if identity in above or (folder.name, identity) in self._seen:
            self.loops.append(inside.as_posix())
            return
        self._seen.add((folder.name, identity))
        if is_report(folder):  # its pictures are of images that were explained already
            self.reports.append(inside.as_posix())
            return
        folders = []
        for entry in entries:
            if entry.name in SYSTEM:
                continue
            if entry.name.startswith("."):
                self._note_hidden(entry, inside)
            elif is_folder(entry):
                folders.append(entry.name)
            elif self._is_image(entry, inside, wanted):
                yield ImageFile(folder / entry.name, (inside / entry.name).as_posix(), inside.name)
        for name in folders:
            yield from self._walk(top, folder / name, wanted, above | {identity})

    def _is_image(self, entry: os.DirEntry[str], inside: Path, wanted: Collection[str]) -> bool:
        """Whether a file is to be read; what else it is, is noted."""
        path = Path(entry.path)
        kind = ending(path)
        shown = (inside / entry.name).as_posix()
        lost = _lost(path) if entry.is_symlink() else ""
        if lost:
            if kind in ASIDE:
                self.aside[kind] += 1
            else:
                self.skipped.append(Skipped(shown, f"a link to a file that {lost}"))
            return False
        if kind in (wanted or self._readable):
            why = "" if wanted else reader_for(b"", kind).missing
            self.skipped += [Skipped(shown, why)] if why else []
            return not why
        if kind in UNREAD:
            self.skipped.append(Skipped(shown, unread(path)))
        elif kind in ASIDE or kind in HOLDERS or wanted:
            self.aside[kind] += 1
            if kind in LISTS:
                self.tables.append(path)
        else:
            head = head_of(path)
            if is_recognized(head):
                return True
            why = missing_for(head) or (reason(content(head)) if content(head) in UNREAD else "")
            if why:
                self.skipped.append(Skipped(shown, why))
            else:
                self.aside[kind or "without an ending"] += 1
        return False

    def _note_hidden(self, entry: os.DirEntry[str], inside: Path) -> None:
        """Hidden files are passed over silently, hidden folders unless they hold images."""
        try:
            if not entry.is_dir():
                return
            with os.scandir(entry.path) as scanned:
                names = [entry.name for entry, _ in zip(scanned, range(LOOKED_AT), strict=False)]
        except OSError:
            return
        if any(Path(name).suffix.lower() in self._readable and not name.startswith(".") for name in names):
            self.hidden.append((inside / entry.name).as_posix())

    def notices(self) -> list[str]:
        """What a user has to know of this search."""
        notices = []
        if self.aside:
            notices.append(left_aside(self.aside))
        if self.hidden:
            notices.append(f"Hidden folders are left aside, of which these hold images: {several(self.hidden)}.")
        if self.reports:
            names = ["the folder itself" if name == "." else name for name in self.reports]
            notices.append(f"Folders of reports aren't searched for images: {several(names)}.")
        if self.loops:
            notices.append(f"Links to folders that are searched already aren't followed again: {several(self.loops)}.")
        return notices


def left_aside(aside: Counter[str]) -> str:
    """How many files, of which endings, are no images."""
    count = sum(aside.values())
    kinds = ", ".join(f"{number} {kind}" for kind, number in aside.most_common(6))
    more = ", …" if len(aside) > 6 else ""
    return f"{count} other {'file is' if count == 1 else 'files are'} left aside: {kinds}{more}."


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one; what a link leads to may be out of reach."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _lost(path: Path) -> str:
    """Why what a link leads to can't be had; empty where it can."""
    try:
        path.stat()
    except FileNotFoundError:
        return "isn't there"
    except OSError as error:
        return f"can't be reached ({error.strerror})"
    return ""
