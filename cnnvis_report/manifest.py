"""How a run is written down: `run.json` when it is complete, `journal.jsonl` while it goes on; read line by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records_identity import Content, Identity
from cnnvis_report.records_json import from_json, parsed

FORMAT = "cnnvis-report/1"
MANIFEST = "run.json"
JOURNAL = "journal.jsonl"
FIRST_LINE = '"images": ['
LAST_LINE = "]}"


def fingerprint_of(folder: Path) -> str | None:
    """The fingerprint of the run that the folder holds, begun or complete; None where there is none."""
    if not (folder / JOURNAL).is_file() and not (folder / MANIFEST).is_file():
        return None
    return _begun_or_complete(folder).get("fingerprint")


def identity_of(folder: Path) -> Identity | None:
    """What the run in the folder is; one without parts where an earlier version wrote it, None where there is no run.

    It may be a stranger's folder: whatever isn't an identity is none.
    """
    if fingerprint_of(folder) is None:
        return None
    content = _begun_or_complete(folder).get("identity")
    try:
        return from_json(Identity, content)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Identity()


def contents_in(folder: Path) -> tuple[list[Content], bool]:
    """The images that the folder's run has seen, as they were then, and whether these are all of its images.

    Raises:
        BadRequest, KeyError, TypeError: the manifest is damaged.
    """
    journal, manifest = folder / JOURNAL, folder / MANIFEST
    if journal.is_file():
        return [Content(image["name"], image.get("content", "")) for image, _, _ in journal_lines(journal)], False
    seen = [*images_in(manifest), *head(manifest)["run"]["skipped"]]
    return [Content(image["name"], image.get("content", "")) for image in seen], True


def remembered(folder: Path) -> dict[str, str]:
    """What files held when the folder's run read them, by what told their state then.

    A stranger's folder can't mislead: what a state is told by is a hash of times and places that are of this machine.
    """
    journal = folder / JOURNAL
    if journal.is_file():
        found = [_begun_or_complete(folder).get("files"), *(files for _, _, files in journal_lines(journal))]
    elif (folder / MANIFEST).is_file():
        provenance = _begun_or_complete(folder).get("provenance")
        found = [provenance.get("files") if isinstance(provenance, dict) else None]
    else:
        found = []
    pairs = [pair for files in found if isinstance(files, dict) for pair in files.items()]
    return {stamp: digest for stamp, digest in pairs if isinstance(digest, str)}


def _begun_or_complete(folder: Path) -> dict[str, Any]:
    """The head of the run that the folder holds."""
    journal = folder / JOURNAL
    if journal.is_file():
        with journal.open(encoding="utf-8", errors="replace") as file:
            content = parsed(file.readline())
    else:
        content = head(folder / MANIFEST).get("run")
    return content if isinstance(content, dict) else {}


def journal_lines(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, float], dict[str, str]]]:
    """Images, the seconds spent on each, and what their files held; a line that was cut short is passed over."""
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as file:
            next(file, None)
            for line in file:
                content = parsed(line)
                if isinstance(content, list) and len(content) == 3:
                    yield content[0], content[1], content[2]


def head(path: Path) -> dict[str, Any]:
    """Everything of a manifest but its images."""
    lines: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.rstrip("\n") == FIRST_LINE:
                content = parsed("".join(lines).rstrip().rstrip(",") + "}")
                return content if isinstance(content, dict) else {}
            lines.append(line)
    return {}


def images_in(path: Path) -> Iterator[dict[str, Any]]:
    """The images of a manifest, line by line."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.rstrip("\n") == FIRST_LINE:
                break
        for line in file:
            if line.rstrip("\n") == LAST_LINE:
                return
            content = parsed(line.rstrip().rstrip(","))
            if not isinstance(content, dict):
                raise BadRequest(f"{path}: is damaged. Start the run again.")
            yield content
