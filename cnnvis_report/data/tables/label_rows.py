"""The rows of a table as labels of images."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_file import several
from cnnvis_report.data.split_names import check_split, counted, in_split, split_of
from cnnvis_report.data.tables.columns import BORNE, UNCERTAIN, Columns, IsImage, find_columns
from cnnvis_report.data.tables.table import Cell, LabelFile, LabelRow, ListCell, Table
from cnnvis_report.errors import UnusedOption

# ImageNet's LOC_val_solution.csv: ids, each with the four sides of a box behind it
SOLUTION = re.compile(r"(n\d{8}(\s+-?\d+){4}\s*)+")
WORDNET_ID = re.compile(r"n\d{8}")


def label_rows(table: Table, selection: Selection, is_image: IsImage) -> LabelFile:
    """What a table says of images, those of a split alone where one is selected.

    Several rows of one image are one, with the labels of all.

    Raises:
        BadRequest: it has no column of paths, or not the columns or the split that were asked for.
    """
    if not table.rows:
        return LabelFile(table.name, (), (f"{table.name} has no rows.",), table.classes)
    columns = find_columns(table, selection.label_columns, is_image)
    rows, part, notices = _selected(table, columns, selection.split)
    read = [_row(table, row, columns) for row in rows if table.text(row, columns.path)]
    if blank := len(rows) - len(read):
        notices.append(f"{table.name}: {_count(blank, 'row')} without a path.")
    images, repeated = merged(read)
    if repeated:
        what = "image is named in several rows" if repeated == 1 else "images are named in several rows"
        notices.append(f"{table.name}: {repeated:,} {what}, and bears the labels of all of them.")
    return LabelFile(table.name, images, (*_columns_said(table, columns), *notices), table.classes, part)


def _selected(table: Table, columns: Columns, split: str) -> tuple[Sequence[Sequence[Cell]], bool, list[str]]:
    """The rows of a split, whether there are others, and what there is to choose where nobody has."""
    if columns.split is None:
        if split:
            columns_of_splits = "such as split, set, subset, fold or is_valid"
            raise UnusedOption("--split", split, f"{table.name} has no column of that, {columns_of_splits}.")
        return table.rows, False, []
    name = table.columns[columns.split]
    splits = [split_of(table.text(row, columns.split), name) for row in table.rows]
    if not split:
        parts = Counter(splits)
        choice = f"{table.name}: column {name!r} has {counted(parts)}; all are taken, and --split takes one."
        return table.rows, False, [choice] if len(parts) > 1 else []
    check_split(table.name, split, splits)
    rows = [row for row, part in zip(table.rows, splits, strict=True) if in_split(part, split)]
    return rows, True, [f"{table.name}: {len(rows):,} of {len(table.rows):,} rows are of split {split!r}."]


def _row(table: Table, row: Sequence[Cell], columns: Columns) -> LabelRow:
    if columns.flags:
        borne = [number for number in columns.labels if table.text(row, number).lower() in BORNE]
        return LabelRow(table.text(row, columns.path), tuple(table.columns[number] for number in borne), not borne)
    texts = [text.strip() for number in columns.labels for text in table.cell(row, number) if text.strip()]
    labels = [label for text in texts for label in (WORDNET_ID.findall(text) if SOLUTION.fullmatch(text) else [text])]
    listed = any(len(row) > number and isinstance(row[number], ListCell) for number in columns.labels)
    return LabelRow(table.text(row, columns.path), tuple(dict.fromkeys(labels)), bare=listed and not labels)


def merged(rows: Sequence[LabelRow]) -> tuple[list[LabelRow], int]:
    """Each image once, and how many images were named more than once with other labels."""
    by_path: dict[str, LabelRow] = {}
    repeated = set()
    for row in rows:
        known = by_path.setdefault(row.path, row)
        if known.labels != row.labels:
            repeated.add(row.path)
            labels = tuple(dict.fromkeys((*known.labels, *row.labels)))
            by_path[row.path] = replace(known, labels=labels, bare=False)
    return list(by_path.values()), len(repeated)


def _columns_said(table: Table, columns: Columns) -> list[str]:
    """Which columns were taken for what."""
    if not table.columns:
        return []
    if columns.flags:
        others = [name for number, name in enumerate(table.columns) if number not in columns.labels]
        cells = {table.text(row, number) for row in table.rows for number in columns.labels}
        unsure = ", and -1 (uncertain) counts as 0" if cells & UNCERTAIN else ""
        return [f"{table.name}: each of its columns but {several(others)} is a label where it holds 1{unsure}."]
    names = [repr(table.columns[number]) for number in columns.labels]
    labels = f"labels in column{'s' * (len(names) > 1)} {several(names, 6)}" if names else "and no column of labels"
    return [f"{table.name}: paths in column {table.columns[columns.path]!r}, {labels}."]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
