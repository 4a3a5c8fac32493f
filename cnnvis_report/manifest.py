"""How a run is written down: `run.json` when it is complete, `journal.jsonl` while it goes on; read line by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records_json import parsed

FORMAT = "cnnvis-report/1"
MANIFEST = "run.json"
JOURNAL = "journal.jsonl"
FIRST_LINE = '"images": ['
LAST_LINE = "]}"


def fingerprint_of(folder: Path) -> str | None:
    """The fingerprint of the run that the folder holds, begun or complete; None where there is none."""
    journal = folder / JOURNAL
    if journal.is_file():
        with journal.open(encoding="utf-8", errors="replace") as file:
            content = parsed(file.readline())
        return content.get("fingerprint") if isinstance(content, dict) and "fingerprint" in content else None
    if not (folder / MANIFEST).is_file():
        return None
    run = head(folder / MANIFEST).get("run")
    return run.get("fingerprint") if isinstance(run, dict) else None


def journal_lines(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
    """Images with the seconds spent on each; a line that was cut short is passed over."""
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as file:
            next(file, None)
            for line in file:
                content = parsed(line)
                if isinstance(content, list) and len(content) == 2:
                    yield content[0], content[1]


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
