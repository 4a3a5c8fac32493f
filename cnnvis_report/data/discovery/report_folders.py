"""Pictures that a report is made of: they look like images, and to explain them would be to explain explanations."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cnnvis_report.data.image_file import ImageFile, several
from cnnvis_report.store.own_files import is_run_folder

STILLS = "stills"  # the folder within a report that has them


def is_report(folder: Path) -> bool:
    """Whether a folder is a report; one that can't be looked into is none, and whoever reads it says why."""
    try:
        return is_run_folder(folder)
    except OSError:
        return False


def without_reports(images: Sequence[ImageFile]) -> tuple[list[ImageFile], list[str]]:
    """The files that are no pictures of a report, by whatever path or link, and what is to be said of the others."""

    @cache
    def report_of(folder: str) -> Path | None:
        path = Path(folder)
        stills = next(
            (parent for parent in (path, *path.parents) if parent.name == STILLS and is_report(parent.parent)), None
        )
        return None if stills is None else stills.parent

    others: list[ImageFile] = []
    reports: dict[Path, None] = {}
    for image in images:
        # what an entry is called is no path of this computer
        report = None if image.entry is not None else report_of(os.path.dirname(_real(image.path)))  # noqa: PTH120 # ten thousand of them
        if report is None:
            others.append(image)
        else:
            reports[report] = None
    left = len(images) - len(others)
    if not left:
        return others, []
    whose = several([report.name for report in reports])
    return others, [f"{left} {'picture' if left == 1 else 'pictures'} of a report left aside: {whose}."]


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # no name that a file can have: to read it says so
        return str(path)
