"""Tables among the members of an archive that name its images."""

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from cnnvis_report.data.archives.member import Member
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.split_names import in_split
from cnnvis_report.data.tables.columns import check_only
from cnnvis_report.data.tables.json_table import is_scattered
from cnnvis_report.data.tables.table import Table
from cnnvis_report.data.tables.text_tables import (
    LABEL_COLUMNS,
    PATH_COLUMNS,
    RepeatedKey,
    column,
    parsed_once,
    read_rows,
)
from cnnvis_report.errors import BadRequest

MOST_TABLES, LARGEST = 5, 1 << 26  # bytes
SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition")

Rows = list[list[str]]


def labeled_by_table(
    images: Sequence[ImageFile], tables: Sequence[tuple[str, Member]], selection: Selection
) -> tuple[list[ImageFile], Selection, list[str]]:
    """The images that the first table which names some says, with their labels; all of them where there is none.

    Args:
        tables: names and members.

    Returns:
        The images, what is still to be selected of them, and what a user has to know.
    """
    unread: list[str] = []
    by_name = {image.name: number for number, image in enumerate(images)}
    for name, member in sorted(tables, key=lambda table: (table[0].count("/"), table[0]))[:MOST_TABLES]:
        try:
            rows = _rows(name, member)
            columns = _columns(rows, selection) if rows else None
        except _Ambiguous as error:
            unread.append(f"{name} in the archive isn't read as a table of labels: {error}.")
            continue
        if columns is None:
            continue
        path, labels, split = columns
        folder = name.rpartition("/")[0]
        named: dict[int, tuple[str, ...]] = {}
        for row in rows[1:]:
            cells = [*row, *[""] * (len(rows[0]) - len(row))]
            number = by_name.get(posixpath.normpath(posixpath.join(folder, cells[path].replace("\\", "/"))))
            if number is not None and (split is None or not selection.split or in_split(cells[split], selection.split)):
                named[number] = tuple(cells[at] for at in labels if cells[at])
        if named:
            left = replace(selection, split="") if split is not None else selection
            files = [replace(images[number], labels=cells) for number, cells in sorted(named.items())]
            return files, left, [*unread, _notice(name, rows[0], labels, len(images) - len(named))]
    return list(images), selection, unread


class _Ambiguous(Exception):
    """A table that could be read in two ways, or hardly at all; the message says why."""


def _columns(rows: Rows, selection: Selection) -> tuple[int, list[int], int | None] | None:
    """The columns of paths, of labels and of parts of the set; None where none is of paths."""
    header = rows[0]
    path = column(header, PATH_COLUMNS)
    if path is None:
        return None
    others = ["" if at == path else cell for at, cell in enumerate(header)]
    labels = [header.index(name) for name in selection.label_columns if name in header]
    if not labels:
        label = column(others, LABEL_COLUMNS)
        labels = [label] if label is not None else []
    split = column(others, SPLIT_COLUMNS)
    table = Table("", tuple(header), [[(cell,) for cell in row] for row in rows[1:]])
    try:
        for number in (path, *labels, *([] if split is None else [split])):
            check_only(table, number, exactly=bool(selection.label_columns) and number in labels)
    except BadRequest as error:
        raise _Ambiguous(str(error).removeprefix(": ").rstrip(".")) from error
    return path, labels, split


def _rows(name: str, member: Member) -> Rows:
    """The header and the rows of a table; nothing where it is none."""
    if member.entry is None or member.size > LARGEST:
        return []
    try:
        lines = member.entry.read().decode("utf-8-sig").splitlines()
        if name.lower().endswith(".jsonl"):
            records = [parsed_once(line) for line in lines if line.strip()]
            header = list(records[0])
            if is_scattered(header, records):
                raise _Ambiguous("its records share hardly any keys")
            return [header, *[[str(record.get(cell, "")) for cell in header] for record in records]]
        return read_rows(lines, f".{name.rpartition('.')[2].lower()}")
    except RepeatedKey as error:
        raise _Ambiguous(str(error)) from error
    except _Ambiguous:
        raise
    except Exception:  # whatever a stranger's text does to a parser
        return []


def _notice(name: str, header: Sequence[str], labels: Sequence[int], left: int) -> str:
    columns = ", ".join(repr(header[at]) for at in labels)
    labeled_by = f"labels in column {columns}" if columns else "and no column of labels"
    more = f"; {left} {'image' if left == 1 else 'images'} that it doesn't name {'is' if left == 1 else 'are'} left out"
    return f"{name} in the archive names its images, {labeled_by}{more if left else ''}."
