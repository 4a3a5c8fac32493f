"""Class names: from a file, and from what a user calls a class."""

import json
from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.errors import BadRequest, UnknownName


def read_class_names(path: Path) -> tuple[str, ...]:
    """Names in index order: a text file with a name a line, a JSON list, or a JSON object from index to name.

    In JSON a name may also be a list whose last entry is the name, as in ["n01440764", "tench"].

    Raises:
        BadRequest: the file can't be read as any of these.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: can't be read as a list of class names ({error}).") from error
    if path.suffix.lower() != ".json":
        return tuple(line.strip() for line in text.strip().splitlines())
    try:
        content = json.loads(text)
        if isinstance(content, dict):
            content = [content[str(index)] for index in range(len(content))]
        names = [entry[-1] if isinstance(entry, list) else entry for entry in content]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise BadRequest(
            f"{path}: isn't a JSON list of class names, nor an object from 0, 1, … to names ({error!r})."
        ) from error
    if not all(isinstance(name, str) for name in names):
        raise BadRequest(f"{path}: holds class names that aren't text.")
    return tuple(names)


def find_class(wanted: str, names: Sequence[str]) -> int:
    """The index of a class by its name (case and underscores don't matter) or its index.

    Raises:
        UnknownName: there is no such class.
        BadRequest: the index is out of range, or the name belongs to several classes.
    """
    plain = _plain(wanted)
    found = [index for index, name in enumerate(names) if _plain(name) == plain]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadRequest(f"{len(found)} classes are called {wanted!r}: {', '.join(map(str, found))}. Give an index.")
    if wanted.strip().isdigit():
        index = int(wanted)
        if index < len(names):
            return index
        raise BadRequest(f"There is no class {index}: the network has {len(names)}, 0 to {len(names) - 1}.")
    raise UnknownName("class", wanted, names)


def class_called(folder: str, names: Sequence[str]) -> int | None:
    """The one class whose name a folder bears, or None."""
    plain = _plain(folder)
    found = [index for index, name in enumerate(names) if _plain(name) == plain]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())
