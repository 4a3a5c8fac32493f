"""How far a run has come: `journal.jsonl`, a line an image, sealed for its run.

A power cut leaves half a line at most, which is passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.identity import Identity, fingerprint
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.atomic import beside, is_regular
from cnnvis_report.store.digests import holds, sealed
from cnnvis_report.store.manifest import FORMAT, HEAD, is_true, list_lines, opened
from cnnvis_report.store.names import JOURNAL


@dataclass(frozen=True)
class Done:
    """An image that is done: its record, the seconds of each method, what its files are remembered by, its arrays."""

    image: ImageRecord
    seconds: dict[str, float]
    files: dict[str, str]
    stored: StoredFile


def start_journal(folder: Path, identity: Identity, files: Mapping[str, str], done: Iterable[Done]) -> None:
    """Begin a journal with images that are done."""
    start = {"format": FORMAT, "fingerprint": fingerprint(identity), "identity": asdict(identity), "files": dict(files)}
    with beside(folder / JOURNAL) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(to_json(sealed(start, HEAD)) + "\n")
        for result in done:
            file.write(journal_line(result, start["fingerprint"]))


def journal_line(done: Done, run: object) -> str:
    """An image as a line of the journal of a run with that fingerprint."""
    return to_json(sealed(asdict(done), str(run))) + "\n"


def journal_lines(folder: Path) -> Iterator[Done]:
    """Images that an unfinished run has done; a line that isn't whole or isn't of this run is passed over."""
    run = begun(folder).get("fingerprint")
    if run is None:
        return
    seen: set[str] = set()
    for line in list_lines(folder / JOURNAL, after=1):
        content = parsed(line)
        if not isinstance(content, dict) or not holds(content, str(run)):
            continue
        try:
            done = from_json(Done, opened(content))
        except Malformed:
            continue
        if done.image.id not in seen:
            seen.add(done.image.id)
            yield done


def begun(folder: Path) -> dict[str, Any]:
    """What the folder's journal begins with; nothing where there is none, or one whose beginning isn't as written."""
    path = folder / JOURNAL
    content = first_line(path) if is_regular(path) else {}
    return content if is_true(content) else {}


def first_line(path: Path) -> dict[str, Any]:
    """The first line of a journal."""
    content = parsed(next(list_lines(path), ""))
    return content if isinstance(content, dict) else {}
