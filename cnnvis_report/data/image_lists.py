"""Lists of images: a path a line, with or without labels, however the two are set apart."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cnnvis_report.data.formats import EXTENSIONS
from cnnvis_report.data.image_file import ImageFile, several
from cnnvis_report.data.text_tables import column, read_rows, read_text
from cnnvis_report.errors import BadRequest

PATH_COLUMNS = (
    "file name", "filename", "file", "path", "file path", "filepath", "image", "image path", "image name", "img",
    "image id", "imageid", "image index", "img path", "images", "id", "name",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "target", "class name", "label name", "category", "class id", "label id",
    "class index", "finding labels", "attribute ids", "diagnosis", "dx", "index", "tags", "tag", "name", "y",
)  # fmt: skip
LONGEST_LINE, LONGEST_ROW = 1 << 14, 1 << 20  # characters; tables may have a column for each of many labels
LONGEST_PATH = 4096  # characters
USUAL = (".jpg", ".png", ".jpeg", ".JPEG", ".JPG", ".tif")
BORNE, UNCERTAIN = {"1", "1.0"}, {"-1", "-1.0"}
ONE_HOT = {"0", "0.0", ""} | BORNE | UNCERTAIN
ENDS = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(EXTENSIONS)))})(?=[\s,;]|$)", re.IGNORECASE)


def read_list(path: Path) -> tuple[list[ImageFile], list[str]]:
    """The images of a list, and what a user has to know of how it was read.

    A line has a path, relative to the list, and after a tab, a comma or a blank the label if it is known; several
    labels have | between them. Paths may have blanks and commas: the split is where it leaves a file that is there.
    Lines that start with # don't count, nor does a header. `.csv` and `.tsv` tables have a column of paths and one of
    labels, found by their names, or the first two.

    Raises:
        BadRequest: the file can't be read as text.
    """
    lines = read_text(path, "a list of images, one path a line").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    _check_lengths(numbered, path)
    if path.suffix.lower() in (".csv", ".tsv"):
        rows = read_rows([line for _, line in numbered], path.suffix.lower())
        return _of_table(rows, path)
    numbered = [(number, line.strip()) for number, line in numbered if not line.lstrip().startswith("#")]
    splits = [_split(line, path.parent) for _, line in numbered]
    notices = []
    if splits and _is_header(splits[0][0], splits[0][1], path.parent):
        notices.append(f"Line {numbered[0][0]} of {path.name} is its header.")
        splits = splits[1:]
    return [_found(name, label, path.parent) for name, label in splits], notices


def _check_lengths(numbered: Sequence[tuple[int, str]], path: Path) -> None:
    """Refuse lines that hold no path and label: to try where one ends would take for ever.

    Raises:
        BadRequest: naming the first.
    """
    most = LONGEST_ROW if path.suffix.lower() in (".csv", ".tsv") else LONGEST_LINE
    long = next(((number, len(line)) for number, line in numbered if len(line) > most), None)
    if long is not None:
        raise BadRequest(f"{path}: line {long[0]} has {long[1]} characters; a line of a list has at most {most}.")


def _of_table(rows: list[list[str]], path: Path) -> tuple[list[ImageFile], list[str]]:
    """The images of a table."""
    if not rows:
        return [], []
    header = rows[0]
    file = column(header, PATH_COLUMNS)
    if file is None or (path.parent / header[file]).is_file():
        images = [_found(row[0], row[1] if len(row) > 1 else "", path.parent) for row in rows if row[0]]
        return images, []
    left = [cell if at != file else "" for at, cell in enumerate(header)]
    label = column(left, LABEL_COLUMNS)
    body = [row for row in rows[1:] if len(row) > file and row[file]]
    others = [at for at, cell in enumerate(left) if cell]
    label = others[0] if label is None and len(others) == 1 else label
    cells = {at: {row[at] for row in body if at < len(row)} for at in others} if label is None else {}
    flags = [at for at, values in cells.items() if values <= ONE_HOT and values - {""}]
    if len(flags) > 1:
        marked = ["|".join(header[at] for at in flags if at < len(row) and row[at] in BORNE) for row in body]
        images = [_found(row[file], mark, path.parent) for row, mark in zip(body, marked, strict=True)]
        notice = (
            f"{path.name}: each of its columns but {several([header[at] for at in (file, *cells) if at not in flags])}"
        )
        unsure = ", and -1 (uncertain) counts as 0" if any(cells[at] & UNCERTAIN for at in flags) else ""
        return [replace(image, bare=not image.labels) for image in images], [
            f"{notice} is a label where it holds 1{unsure}."
        ]
    texts = [row[label] if label is not None and label < len(row) else "" for row in body]
    notice = f"{path.name}: paths in column {header[file]!r}" + (
        f", labels in column {header[label]!r}." if label is not None else ", and no column of labels."
    )
    return [_found(row[file], text, path.parent) for row, text in zip(body, texts, strict=True)], [notice]


def _split(line: str, folder: Path) -> tuple[str, str]:
    """The path and the label in a line: where a split leaves a file, or else where it looks like one."""
    if "\t" not in line and _is_file(folder, line):
        return line, ""
    for name, label in _candidates(line):
        if _is_file(folder, name):
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


def _is_file(folder: Path, name: str) -> bool:
    try:
        return bool(name) and _inside(folder, name).is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _inside(folder: Path, name: str) -> Path:
    """A path of the list; one that was written on Windows has other marks between its folders."""
    path = folder / name
    return folder / name.replace("\\", "/") if "\\" in name and not path.exists() else path


def _is_header(name: str, label: str, folder: Path) -> bool:
    """Whether a line names columns instead of an image."""
    cells = [cell for cell in re.split(r"[\t,; ]+", f"{name} {label}".strip()) if cell]
    known = {*PATH_COLUMNS, *LABEL_COLUMNS, "split", "set", "score"}
    words = {" ".join(cell.replace("_", " ").replace("-", " ").lower().split()) for cell in cells}
    return bool(words) and words <= known and not _is_file(folder, name)


def _found(name: str, label: str, folder: Path) -> ImageFile:
    if "\\" in name and not (folder / name).exists():
        name = name.replace("\\", "/")
    # the name shown never leaves the folder that the list is in
    path = Path(name)
    shown = path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
    label = label.strip()
    where = folder / name
    if not path.suffix and not _is_file(folder, name):  # tables of competitions leave the ending out
        where = next((folder / (name + ending) for ending in USUAL if _is_file(folder, name + ending)), where)
        shown += where.name.removeprefix(path.name)
    return ImageFile(where, shown, Path(shown).parent.name, labels=(label,) if label else ())
