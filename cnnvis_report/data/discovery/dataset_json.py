"""Folders that hold a drawn data set: where its pictures are, and where their masks."""

import re
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import parsed

FORMAT = "cnnvis-report-dataset/1"
DESCRIPTION = "dataset.json"
IMAGES, MASKS = "images", "masks"
DRAWN = re.compile(r"[a-z_]+/[A-Za-z0-9_-]+/\d+\.png")
LARGEST = 1 << 26  # bytes; a set of a million pictures has half of it


def read_description(folder: Path) -> dict[str, Any] | None:
    """What the `dataset.json` of a drawn set says; None where the folder holds no drawn set."""
    path = folder / DESCRIPTION
    if not path.is_file() or path.stat().st_size > LARGEST:
        return None
    content = parsed(path.read_text(encoding="utf-8", errors="replace"))
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def listed_files(folder: Path, description: dict[str, Any]) -> list[str]:
    """The files of a drawn set that are there, relative to its folder.

    A list that somebody else has changed never leads out of the folder, neither by a name nor by a link, nor to files
    that aren't called as drawn ones are: what is listed is removed when the set is drawn anew.
    """
    listed = description.get("files")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return [name for name in names if DRAWN.fullmatch(name) and _is_within(folder, name)]


def _is_within(folder: Path, name: str) -> bool:
    try:
        path = folder / name
        return path.is_file() and path.parent.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):  # no name that a file can have
        return False


def parts_of(folder: Path) -> tuple[Path, Path] | None:
    """The folders of pictures and of masks, where the folder holds a drawn set.

    Raises:
        BadRequest: it does, and wasn't drawn to its end.
    """
    description = read_description(folder)
    if description is None:
        return None
    if not description.get("complete"):
        raise BadRequest(f"{folder}: this set wasn't drawn to its end. Draw it again, with the same command.")
    return folder / IMAGES, folder / MASKS
