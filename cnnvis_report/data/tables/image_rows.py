"""Rows of a table as image files beside it."""

from collections.abc import Sequence
from errno import ENAMETOOLONG
from pathlib import Path

from cnnvis_report.data.image_file import FoundImages, ImageFile, several
from cnnvis_report.data.tables.table import LabelFile, LabelRow
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.run import Skipped

USUAL = (".jpg", ".png", ".jpeg", ".JPEG", ".JPG", ".tif")  # tables of competitions leave the ending out
MOST_LISTED = 100  # missing files that the report lists one by one
ABSENT = "there is no such file"


def path_in(folder: Path, text: str) -> Path:
    """The path that a row means, relative to a folder.

    One that was written on Windows has other marks between its folders, and an ending may be left out.
    """
    path = folder / text
    if "\\" in text and not _is_file(path):
        path = folder / text.replace("\\", "/")
    if path.name and not path.suffix and not _is_file(path):
        path = next((whole for ending in USUAL if _is_file(whole := path.with_name(path.name + ending))), path)
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # who may not look at it, or can't call a file so
        return False


def is_file_in(folder: Path, text: str) -> bool:
    """Whether a row names a file that is there; there are names that no file can have."""
    try:
        return bool(text) and _is_file(path_in(folder, text))
    except ValueError:
        return False


def problem_of(folder: Path, text: str) -> str:
    """Why a row's path isn't followed; empty where it is."""
    if "://" in text:
        return "an address in a table, and nothing is fetched"
    plain = text.replace("\\", "/")
    if ".." in Path(plain).parts and not (folder / plain).resolve().is_relative_to(folder.resolve()):
        return "a path that leaves the table's folder"
    try:
        path_in(folder, text).stat()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:  # what may not be looked at is no missing file
        return ABSENT if error.errno == ENAMETOOLONG else ""
    return ""


def image_files(table: LabelFile, folder: Path) -> FoundImages:
    """The images that a table names, with their labels; those that can't be had are skipped, and counted.

    Raises:
        BadRequest: the table names images, and none of them is there.
    """
    files: list[ImageFile] = []
    problems: dict[str, list[str]] = {}
    for row in table.rows:
        try:
            problem = problem_of(folder, row.path)
        except (OSError, ValueError):  # no name that a file can have
            problem = ABSENT
        if problem:
            problems.setdefault(problem, []).append(row.path)
        else:
            files.append(_file(row, folder))
    missing = problems.get(ABSENT, [])
    if missing and not files and len(problems) == 1:
        raise BadRequest(
            f"{table.name}: none of the {len(missing):,} files that it names is there, such as {several(missing[:1])}. "
            f"Paths are relative to the table; where the images are elsewhere, give their folder as IMAGES and the "
            f"table by --labels."
        )
    skipped = [Skipped(_shown(name), reason) for reason, names in problems.items() for name in names[:MOST_LISTED]]
    return FoundImages(
        tuple(files), tuple(skipped), (*table.notices, *_counted(table.name, problems)), classes=table.classes
    )


def _counted(name: str, problems: dict[str, list[str]]) -> list[str]:
    """How many images of a table can't be had, and why."""
    return [
        f"{name}: {_images(len(names))} that it names can't be had ({reason}): {several([*map(_shown, names)])}."
        for reason, names in problems.items()
    ]


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _file(row: LabelRow, folder: Path) -> ImageFile:
    path = path_in(folder, row.path)
    plain = row.path.replace("\\", "/") if "\\" in row.path and not (folder / row.path).exists() else row.path
    shown = _shown(plain)
    shown += path.name.removeprefix(Path(shown).name)
    return ImageFile(path, shown, Path(shown).parent.name, labels=row.labels, bare=row.bare, mask=row.mask)


def _shown(text: str) -> str:
    """A name that never leaves the folder that the table is in."""
    path = Path(text)
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()


def in_folders(table: LabelFile, folders: Sequence[Path]) -> Path:
    """The folder among several in which most of the first images of a table are; the first where none is."""
    names = [row.path for row in table.rows[:MOST_LISTED]]
    return max(folders, key=lambda folder: sum(is_file_in(folder, name) for name in names))
