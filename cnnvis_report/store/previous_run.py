"""What a folder holds of an earlier start: which run it is, and which images it has seen."""

from pathlib import Path
from typing import Any

from cnnvis_report.records.codec import Malformed, from_json
from cnnvis_report.records.identity import Content, Identity
from cnnvis_report.store.files.atomic import is_regular
from cnnvis_report.store.files.names import JOURNAL, MANIFEST
from cnnvis_report.store.journal import begun, journal_lines
from cnnvis_report.store.manifest import CLOCKS, ImagesLeft, is_true, raw_head


def identity_of(folder: Path) -> Identity | None:
    """What the run in the folder is; one without parts where it can't be told, None where there is no run."""
    if not any(is_regular(folder / name) for name in (JOURNAL, MANIFEST)):
        return None
    content = _begun_or_complete(folder)
    try:
        return from_json(Identity, content.get("identity")) if is_true(content, clocks=False) else Identity()
    except Malformed:
        return Identity()


def contents_in(folder: Path) -> tuple[list[Content], bool]:
    """The images that the folder's run has seen, as they were then, and whether these are all of its images.

    What got damaged of it has not been seen.
    """
    if begun(folder):
        return [Content(line.image.name, line.image.content) for line in journal_lines(folder)], False
    images = ImagesLeft(folder)
    run = _begun_or_complete(folder)
    skipped = run.get("skipped")
    contents = [Content(image.name, image.content) for image in images]
    for entry in skipped if isinstance(skipped, list) else ():
        contents.append(Content(str(entry["name"]), str(entry.get("content", ""))))
    return contents, images.all_there and not run.get("left_out")


def remembered(folder: Path) -> dict[str, str]:
    """What files held when the folder's run read them, by what told their state then.

    A stranger's folder can't mislead: what a state is told by is a hash of times and places that are of this machine.
    """
    if begun(folder):
        tables = [_begun_or_complete(folder).get("files"), *(line.files for line in journal_lines(folder))]
    else:
        provenance = _begun_or_complete(folder).get(CLOCKS)
        tables = [provenance.get("files") if isinstance(provenance, dict) else None]
    pairs = [pair for files in tables if isinstance(files, dict) for pair in files.items()]
    return {stamp: digest for stamp, digest in pairs if isinstance(digest, str)}


def _begun_or_complete(folder: Path) -> dict[str, Any]:
    """The head of the run that the folder holds; nothing where there is none."""
    journal = begun(folder)
    if journal:
        return journal
    content = raw_head(folder / MANIFEST).get("run") if is_regular(folder / MANIFEST) else None
    return content if isinstance(content, dict) else {}
