"""How far a run has come: `journal.jsonl`, a line an image, sealed for its run.

A power cut leaves half a line at most, which is passed over. A line of a shard says that the arrays of its images,
which stand in lines before it, have moved into the shard's file.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from errno import ENOENT
from pathlib import Path
from typing import Any

from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.identity import Identity, fingerprint
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.files.atomic import NO_LINK, beside, is_regular, open_regular, settle
from cnnvis_report.store.files.digests import holds, sealed
from cnnvis_report.store.files.names import JOURNAL
from cnnvis_report.store.manifest import FORMAT, HEAD, LARGEST, LONGEST, is_true, lines_at, list_lines, opened

SHARD = "shard"  # the key by which a shard's line is known
SHARD_LINE = 500  # letters, of which it has fewer
IMAGE = b'"image": {'  # which the line of an image has


@dataclass(frozen=True)
class Done:
    """An image that is done.

    image: its record. seconds: of each method. files: what its files are remembered by. stored: what the file that
    holds its arrays is known by. sharded: whether that is its shard's file.
    """

    image: ImageRecord
    seconds: dict[str, float]
    files: dict[str, str]
    stored: StoredFile
    sharded: bool = False


def start_journal(folder: Path, identity: Identity, files: Mapping[str, str], done: Iterable[Done]) -> dict[str, int]:
    """Begin a journal with images that are done; by id, at which byte the line of each begins."""
    start = {"format": FORMAT, "fingerprint": fingerprint(identity), "identity": asdict(identity), "files": dict(files)}
    starts: dict[str, int] = {}
    with beside(folder / JOURNAL) as temporary, temporary.open("wb") as file:
        file.write(f"{to_json(sealed(start, HEAD))}\n".encode())
        for result in done:
            starts[result.image.id] = file.tell()
            file.write(journal_line(result, start["fingerprint"]).encode())
    return starts


def journal_line(done: Done, run: object) -> str:
    """An image as a line of the journal of a run with that fingerprint."""
    return to_json(sealed(asdict(done), str(run))) + "\n"


def shard_line(number: int, stored: StoredFile, run: object) -> str:
    """The line of a shard."""
    return to_json(sealed({SHARD: number, "stored": asdict(stored)}, str(run))) + "\n"


def append_lines(folder: Path, lines: Iterable[str]) -> list[int]:
    """Put lines at the end of the journal, on the disk before this returns; at which byte each begins.

    Raises:
        OSError: the journal is gone, say; it isn't made anew.
    """
    with os.fdopen(os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | NO_LINK), "ab") as journal:
        journal.seek(0, os.SEEK_END)
        starts = []
        for line in lines:
            starts.append(journal.tell())
            journal.write(line.encode())
    settle(folder / JOURNAL)
    return starts


def journal_lines(folder: Path) -> Iterator[Done]:
    """Images that an unfinished run has done; a line that isn't whole or isn't of this run is passed over."""
    run = begun(folder).get("fingerprint")
    if run is None:
        return
    shards = _shards(folder, str(run))
    seen: set[str] = set()
    for start, line in lines_at(folder / JOURNAL):
        done = _image_of(line, str(run)) if start else None
        if done is not None and done.image.id not in seen:
            seen.add(done.image.id)
            end, stored = shards.get(done.image.shard, (0, done.stored))
            yield replace(done, stored=stored, sharded=True) if start < end else done


def lines_of(folder: Path, starts: Iterable[int], run: str) -> Iterator[ImageRecord]:
    """The images whose lines begin at these bytes of the journal of a run.

    Raises:
        FileNotFoundError: the journal, or one of the lines, isn't there.
    """
    path = folder / JOURNAL
    with open_regular(path, LARGEST) as file:
        for start in starts:
            file.seek(start)
            done = _image_of(file.readline(LONGEST).decode("utf-8", "replace"), run)
            if done is None:
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path))
            yield done.image


def begun(folder: Path) -> dict[str, Any]:
    """What the folder's journal begins with; nothing where there is none, or one whose beginning isn't as written."""
    path = folder / JOURNAL
    content = first_line(path) if is_regular(path) else {}
    return content if is_true(content) else {}


def first_line(path: Path) -> dict[str, Any]:
    """The first line of a journal."""
    content = parsed(next(list_lines(path), ""))
    return content if isinstance(content, dict) else {}


def _image_of(line: str, run: str) -> Done | None:
    """The image that a line tells of; None where it isn't whole, is of another run, or is a shard's."""
    content = parsed(line)
    if not isinstance(content, dict) or SHARD in content or not holds(content, run):
        return None
    try:
        return from_json(Done, opened(content))
    except Malformed:
        return None


def _shards(folder: Path, run: str) -> dict[int | None, tuple[int, StoredFile]]:
    """By its number, at which byte the last line of a shard begins, and what its file is known by."""
    shards: dict[int | None, tuple[int, StoredFile]] = {}
    for start, line in lines_at(folder / JOURNAL):
        content = parsed(line) if len(line) < SHARD_LINE else None
        if isinstance(content, dict) and SHARD in content and holds(content, run):
            try:
                shards[content[SHARD]] = start, from_json(StoredFile, content["stored"])
            except (Malformed, KeyError, TypeError):
                continue
    return shards


class JournalTail:
    """Counts the images of a journal that grows, and reads the newest of them.

    Args:
        folder: of the run, which this process writes.
        newest: so many images are read at most.
    """

    def __init__(self, folder: Path, newest: int) -> None:
        self.count = 0
        self._path, self._offset = folder / JOURNAL, 0
        self._lines: deque[bytes] = deque(maxlen=newest)

    def grown(self) -> bool:
        """Look whether images have come."""
        before = self.count
        try:
            with open_regular(self._path, LARGEST) as file:
                file.seek(self._offset)
                while (line := file.readline(LONGEST)).endswith(b"\n"):
                    self._offset += len(line)
                    if IMAGE in line:
                        self.count += 1
                        self._lines.append(line)
        except FileNotFoundError:
            return False
        return self.count > before

    def newest(self) -> list[ImageRecord]:
        """The records of the newest images, the newest first."""
        images = []
        for line in reversed(self._lines):
            content = parsed(line.decode("utf-8", "replace"))
            try:
                images.append(from_json(ImageRecord, content.get("image") if isinstance(content, dict) else None))
            except Malformed:
                continue
        return images
