"""Folders that hold a drawn data set: where its pictures are, and where their masks."""

from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.records_json import parsed

FORMAT = "cnnvis-report-dataset/1"
DESCRIPTION = "dataset.json"
IMAGES, MASKS = "images", "masks"


def read_description(folder: Path) -> dict[str, Any] | None:
    """What the `dataset.json` of a drawn set says; None where the folder holds no drawn set."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return None
    content = parsed(path.read_text(encoding="utf-8", errors="replace"))
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def listed_files(description: dict[str, Any]) -> list[str]:
    """The files of a drawn set, relative to its folder; a list that was tampered with never leads out of it."""
    listed = description.get("files")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


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
