"""Tables among the members of an archive that name its images."""

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from cnnvis_report.data.archives.member import Member
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.plain_names import plain
from cnnvis_report.data.tables.columns import find_columns
from cnnvis_report.data.tables.delimited import table_of_text
from cnnvis_report.data.tables.join import unnamed
from cnnvis_report.data.tables.json_table import table_of_lines
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.data.tables.table import LabelFile, LabelRow, Table
from cnnvis_report.data.tables.text_tables import PATH_COLUMNS
from cnnvis_report.errors import BadRequest, UnknownName, UnusedOption

MOST_TABLES, LARGEST = 5, 1 << 26  # bytes


def labeled_by_table(
    images: Sequence[ImageFile], tables: Sequence[tuple[str, Member]], selection: Selection
) -> tuple[list[ImageFile], Selection, list[str]]:
    """The images that the first table which names some says, with their labels; all of them where there is none.

    Args:
        tables: names and members.

    Returns:
        The images, what is still to be selected of them, and what a user has to know.

    Raises:
        BadRequest: the table that names them has not the columns or the split that were asked for.
    """
    unread: list[str] = []
    by_name = {image.name: number for number, image in enumerate(images)}
    for name, member in sorted(tables, key=lambda table: (table[0].count("/"), table[0]))[:MOST_TABLES]:
        names = _Names(name.rpartition("/")[0], by_name)
        try:
            table = _table(name, member)
            if table is None or not _names_images(table, names):
                continue
            find_columns(table, selection.label_columns, names.has)
        except UnknownName:
            raise
        except BadRequest as error:
            reason = str(error).removeprefix(f"{name} in the archive: ").rstrip(".")
            unread.append(f"{name} in the archive isn't read as a table of labels: {reason}.")
            continue
        file, left = _rows(table, selection, names)
        rows = {number: row for row in file.rows if (number := names.number(row.path)) is not None}
        rest = [image.name for number, image in enumerate(images) if number not in rows]
        unnamed_images = [unnamed(file, rest, left_out=True)] if rest else []
        files = [_labeled(images[number], row) for number, row in sorted(rows.items())]
        return files, left, [*unread, *file.notices, *unnamed_images]
    return list(images), selection, unread


class _Names:
    """Images by what a table in a folder of the archive calls them."""

    def __init__(self, folder: str, by_name: dict[str, int]) -> None:
        self._folder, self._by_name = folder, by_name

    def number(self, text: str) -> int | None:
        path = posixpath.join(self._folder, text.replace("\\", "/"))
        return self._by_name.get(posixpath.normpath(path)) if text else None

    def has(self, text: str) -> bool:
        return self.number(text) is not None


def _table(name: str, member: Member) -> Table | None:
    """What a member holds; None where it is no table.

    Raises:
        BadRequest: it could be read in two ways, or hardly at all.
    """
    if member.entry is None or member.size > LARGEST:
        return None
    try:
        text, title = member.entry.read().decode("utf-8-sig"), f"{name} in the archive"
        lines = name.lower().endswith(".jsonl")
        suffix = f".{name.rpartition('.')[2].lower()}"
        return table_of_lines(text, title) if lines else table_of_text(text, title, suffix)
    except BadRequest:
        raise
    except Exception:  # whatever a stranger's text does to a parser
        return None


def _names_images(table: Table, names: _Names) -> bool:
    paths = [number for number, column in enumerate(table.columns) if plain(column) in PATH_COLUMNS]
    return any(names.has(table.text(row, number)) for row in table.rows for number in paths)


def _rows(table: Table, selection: Selection, names: _Names) -> tuple[LabelFile, Selection]:
    """The rows of the split, where the table has splits; what is still to be selected."""
    try:
        return label_rows(table, selection, names.has), replace(selection, split="")
    except UnusedOption:  # folders may be the parts
        return label_rows(table, replace(selection, split=""), names.has), selection


def _labeled(image: ImageFile, row: LabelRow) -> ImageFile:
    return replace(image, labels=row.labels, bare=row.bare)
