"""What the pages of a site were made from: those whose inputs are the same aren't written again.

The note is kept in the user's cache, not in the folder: it holds for this folder on this machine alone, and a folder
that a stranger has sent brings none. A file counts as the one that was written only while the system gives it the
number and the time of change that it had then, so that a folder that was copied or changed is written anew.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from stat import S_ISREG
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, to_json
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.payload import map_facts
from cnnvis_report.report.site.assets import PACKAGE, folder
from cnnvis_report.report.views.image.page import Neighbors
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.files.atomic import read_json, write_json
from cnnvis_report.store.files.names import file_of, inspection_name, is_page

MOST = 256 << 20  # bytes of a note
CACHE = "CNNVIS_REPORT_CACHE"  # variable: another folder for notes; os.devnull for none
NOTES = 200  # that are kept: those of the folders that were written last
LIBRARIES = ("numpy", "Pillow", "plotly", "Jinja2")  # that have a say in what pages look like


@dataclass(frozen=True)
class RenderedImage:
    """The page of an image.

    content: a digest of what its pictures and data were made from. page: of what its text was made from. files: of the
    site. signature: of these, and of the arrays that they were made from. ends: of its color scales, by method.
    """

    content: str
    page: str
    files: tuple[str, ...]
    signature: str
    ends: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class RenderedSite:
    """A site. key: a digest of how it was written. signature: of all its files, and of those of the run."""

    key: str
    files: tuple[str, ...]
    signature: str
    images: dict[str, RenderedImage]


def read_rendered(run: Path) -> RenderedSite | None:
    """What is known of the site in a run's folder; None where nothing is."""
    try:
        site = from_json(RenderedSite, read_json(note_of(run), MOST))
    except (OSError, BadRequest, Malformed):
        return None
    names = [*site.files, *(name for image in site.images.values() for name in image.files)]
    return site if all(map(is_page, names)) else None


def write_rendered(run: Path, site: RenderedSite) -> None:
    """Note what a site was made from; where there is no room for a note, all pages are written the next time."""
    with suppress(OSError):
        note = note_of(run)
        note.parent.mkdir(parents=True, exist_ok=True)
        write_json(note, asdict(site), lasting=False)
        notes = sorted(note.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for old in notes[:-NOTES]:
            old.unlink()


def note_of(run: Path) -> Path:
    """Where the note on the site in a run's folder is.

    Raises:
        FileNotFoundError: there is no home folder, nor a variable that names another.
    """
    home = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    notes = os.environ.get(CACHE)
    if notes is None and not home:
        try:
            home = str(Path.home() / ".cache")
        except RuntimeError as error:  # a user of whom the system knows nothing, as in containers
            raise FileNotFoundError(errno.ENOENT, "there is no home folder") from error
    top = Path(notes) if notes else Path(str(home)) / "cnnvis-report"
    return top / "rendered" / f"{digest(str(run.resolve()))}.json"


def signature(run: Path, names: Iterable[str]) -> str:
    """What the system says of files: size, number and time of change; empty where one isn't there."""
    known = []
    for name in sorted(names):
        try:
            status = (run / name).lstat()
        except OSError:
            return ""
        if not S_ISREG(status.st_mode):
            return ""
        known.append((name, status.st_size, status.st_ino, status.st_ctime_ns))
    return digest(known)


def inputs_of(report: Report, image: ImageRecord) -> tuple[str, ...]:
    """The files of the run that hold an image's arrays."""
    names = (file_of(image), inspection_name(image.id))
    return tuple(name for name in names if name in report.run.files)


def digest(*parts: object) -> str:
    """A digest of what can be written as JSON."""
    return sha256(to_json(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class PageKeys:
    """Digests of what the pages of images are made from.

    content: of what all pictures and data share. page: of what all texts share.
    """

    content: str
    page: str

    def of(self, report: Report, image: ImageRecord, neighbors: Neighbors) -> tuple[str, str]:
        """Of the pictures and data of an image, and of the text of its page."""
        inspected = report.run.inspection.of(image.id) if report.run.inspection else None
        stored = [asdict(report.run.files[name]) for name in inputs_of(report, image)]
        inside = asdict(inspected) if inspected else None
        content = digest(self.content, asdict(image), stored, inside, map_facts(report, image))
        return content, digest(content, self.page, asdict(neighbors))


def page_keys(report: Report) -> PageKeys:
    """What the pages of a report's images share."""
    run, evidence = report.run, report.evidence
    record = {name: value for name, value in asdict(run).items() if name not in ("provenance", "files")}
    fixed = program(), asdict(report.quality), record["network"], record["methods"]
    shared = report.title, report.image_pages, report.summary.judged, asdict(evidence) if evidence else None
    return PageKeys(digest(*fixed), digest(record, *shared))


@cache
def program() -> str:
    """A digest of the program that writes pages: its files, as the system has them, and the libraries that draw."""
    parts: list[Any] = [version(library) for library in LIBRARIES]
    for top in (PACKAGE, folder("templates"), folder("static")):
        for path in sorted(path for path in top.rglob("*.*") if path.suffix in (".py", ".html", ".css", ".js")):
            status = path.stat()
            parts.append((path.relative_to(top).as_posix(), status.st_size, status.st_mtime_ns))
    return digest(parts)
