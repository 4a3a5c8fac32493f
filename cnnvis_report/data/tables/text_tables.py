"""Text files and tables from strangers: decoded, split into cells, and their columns found by usual names."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnvis_report.data.plain_names import plain
from cnnvis_report.data.split_names import SPLIT_COLUMNS
from cnnvis_report.errors import BadRequest, shown

LARGEST = 1 << 27  # bytes; a list of a million images has half of it
LARGEST_JSON = 1 << 29  # bytes; COCO has 118,000 images in 470 MB
HEAD = 1 << 16  # bytes that tell whether it is text
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
PATH_COLUMNS = (
    "file name", "filename", "file", "path", "file path", "filepath", "image", "image path", "image name", "img",
    "image file", "image id", "imageid", "image index", "img path", "images", "picture", "photo", "id", "name",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "target", "class name", "label name", "category", "class id", "label id",
    "class index", "finding labels", "attribute ids", "diagnosis", "dx", "predictionstring", "prediction string",
    "index", "tags", "tag", "fine label", "name", "y",
)  # fmt: skip
OTHERS = ("score", "width", "height", *SPLIT_COLUMNS)


def read_text(path: Path, what: str, most: int = LARGEST) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it says so.

    Args:
        what: what it is read as, for the message, such as "a list of images". most: bytes that it may have.

    Raises:
        BadRequest: it can't be read, is too large, or is no text.
    """
    try:
        if not path.is_file():
            reason = "a folder" if path.is_dir() else "not a regular file" if path.exists() else "there is no such file"
            raise BadRequest(f"{path}: can't be read as {what} ({reason}).")
        if path.stat().st_size > most:
            raise BadRequest(f"{path}: can't be read as {what} (more than {most >> 20} MB).")
        content = _bytes(path, what)
        text = content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        at = content[: error.start].count(b"\n") + 1
        raise BadRequest(
            f"{path}: can't be read as {what} (line {at} isn't UTF-8; save it as UTF-8 if it is text)."
        ) from error
    except OSError as error:
        raise BadRequest(f"{path}: can't be read as {what} ({error.strerror}).") from error
    if "\0" in text:
        raise _no_text(path, what)
    return text


def _bytes(path: Path, what: str) -> bytes:
    """All bytes of a file, unless some near its beginning are those of no text: it may be large, and cost no disk."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if b"\0" in head and not head.startswith(UTF_16):
            raise _no_text(path, what)
        return head + file.read()


def _no_text(path: Path, what: str) -> BadRequest:
    return BadRequest(f"{path}: can't be read as {what} (it is no text).")


def read_rows(lines: Sequence[str], suffix: str) -> list[list[str]]:
    """The cells of a table with tabs, semicolons, commas or bars between them; empty lines don't count."""
    lines = [line for line in lines if line.strip()]
    first = lines[0] if lines else ""
    tabs = suffix == ".tsv" or (suffix != ".csv" and "\t" in first) or ("\t" in first and "," not in first)
    rest = ";" if first.count(";") > first.count(",") else "|" if "|" in first and "," not in first else ","
    delimiter = "\t" if tabs else rest
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
    except csv.Error:
        return [[cell.strip() for cell in line.split(delimiter)] for line in lines]


def column(header: Sequence[str], known: Sequence[str]) -> int | None:
    """The place of the column that bears the first of these names, whatever its case and the marks in it."""
    names = [plain(cell) for cell in header]
    return next((names.index(name) for name in known if name in names), None)


class RepeatedKey(Exception):
    """A key is there twice in one object, with two values; the message says it."""


def parsed_once(text: str) -> Any:
    """What a text of JSON holds.

    Raises:
        RepeatedKey: of a key with two values, one would be lost in silence. ValueError, RecursionError: it is no JSON.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        for key, value in pairs:
            if value != content[key]:
                raise RepeatedKey(f"{shown(key)} is there twice in one object, with two values; one of them is wrong")
    return content


def read_json(path: Path, what: str) -> Any:
    """What a file of JSON holds.

    Args:
        what: what it is read as, for the message.

    Raises:
        BadRequest: it can't be read, is no JSON, or has a key twice in one object.
    """
    try:
        return parsed_once(read_text(path, what, LARGEST_JSON))
    except RepeatedKey as error:
        raise BadRequest(f"{path}: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path}: can't be read as {what} (it is no JSON: {str(error)[:80]}).") from error


def is_known(name: str) -> bool:
    """Whether a column is usually called so."""
    return plain(name) in {*PATH_COLUMNS, *LABEL_COLUMNS, *OTHERS}
