"""Lists of images: a path a line, with or without labels, however the two are set apart."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from cnnvis_report.data.formats import EXTENSIONS
from cnnvis_report.data.tables.columns import IsImage
from cnnvis_report.data.tables.table import LabelFile, LabelRow
from cnnvis_report.data.tables.text_tables import is_known, read_text
from cnnvis_report.errors import BadRequest

LONGEST_LINE = 1 << 14  # characters
LONGEST_PATH = 4096  # characters
ENDS = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(EXTENSIONS)))})(?=[\s,;]|$)", re.IGNORECASE)


def read_list(path: Path, is_image: IsImage) -> LabelFile:
    """The images of a list, and what a user has to know of how it was read.

    A line has a path, and after a tab, a comma or a blank the label if it is known; several labels have | between
    them. Paths may have blanks and commas: the split is where it leaves an image that is there. Lines that start with
    # don't count, nor does a header.

    Args:
        is_image: whether a text names an image that is there.

    Raises:
        BadRequest: the file can't be read as text, or a line is too long to hold a path and a label.
    """
    lines = read_text(path, "a list of images, one path a line").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    long = next(((number, len(line)) for number, line in numbered if len(line) > LONGEST_LINE), None)
    if long is not None:  # to try where a path ends would take for ever
        raise BadRequest(
            f"{path}: line {long[0]} has {long[1]} characters; a line of a list has at most {LONGEST_LINE}."
        )
    numbered = [(number, line) for number, line in numbered if not line.startswith("#")]
    splits = [_split(line, is_image) for _, line in numbered]
    notices: tuple[str, ...] = ()
    if splits and _is_header(splits[0][0], splits[0][1], is_image):
        notices = (f"Line {numbered[0][0]} of {path.name} is its header.",)
        splits = splits[1:]
    rows = [LabelRow(name, (label.strip(),) if label.strip() else ()) for name, label in splits]
    return LabelFile(path.name, rows, notices)


def _split(line: str, is_image: IsImage) -> tuple[str, str]:
    """The path and the label in a line: where a split leaves a file, or else where it looks like one."""
    if "\t" not in line and is_image(line):
        return line, ""
    for name, label in _candidates(line):
        if is_image(name):
            return name, label
    if "\t" in line:
        name, _, label = line.partition("\t")
        return name.strip(), label.strip()
    match = ENDS.search(line)
    if match:
        return line[: match.end()].strip(), line[match.end() :].strip(" \t,;")
    return line, ""


def _candidates(line: str) -> Iterator[tuple[str, str]]:
    """All splits of a line into a path and a label, tabs first, then commas, then blanks."""
    if line.startswith('"'):
        cells = next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])
        if cells:
            yield cells[0].strip(), ",".join(cells[1:]).strip()
    for mark in ("\t", ",", ";", " "):
        positions = [at for at, letter in enumerate(line[:LONGEST_PATH]) if letter == mark]
        # of blanks the last that leaves a file, as a path has more of them than a label
        for at in reversed(positions) if mark == " " else positions:
            yield line[:at].strip(), line[at + 1 :].strip()


def _is_header(name: str, label: str, is_image: IsImage) -> bool:
    """Whether a line names columns instead of an image."""
    cells = [cell for cell in re.split(r"[\t,; ]+", f"{name} {label}".strip()) if cell]
    return bool(cells) and all(map(is_known, cells)) and not is_image(name)
