"""Tables of class names: the column of names, in the order of the column of indices."""

import re
from collections.abc import Sequence
from typing import Any

from cnnvis_report.data.tables.text_tables import column
from cnnvis_report.errors import shown

LONGEST_INDEX = 9  # digits
WORDNET_ID = re.compile(r"n\d{8}")  # a noun of WordNet
INDEX_COLUMNS = ("index", "idx", "id", "class id", "class index", "label id", "label index", "number", "target", "#")
NAME_COLUMNS = ("name", "class name", "label name", "class", "label", "category", "title", "display name")
ID_COLUMNS = ("wnid", "synset", "synset id", "wordnet id")


class RefusedClasses(Exception):
    """Why a file of class names can't be read, without the file's name."""


def is_index(text: str) -> bool:
    """Whether a text is a number that may count classes; `²` is a digit for Python, and no number."""
    return text.isdecimal() and len(text) <= LONGEST_INDEX


def names_in_table(rows: list[list[str]]) -> list[Any]:
    """The entries of a table: the column of names, in the order of the column of indices if there is one."""
    if not rows:
        return []
    width = len(rows[0])
    uneven = next((number for number, row in enumerate(rows, start=1) if len(row) != width), None)
    if uneven is not None:
        raise RefusedClasses(f"line {uneven} has {len(rows[uneven - 1])} columns, and line 1 has {width}")
    header, body = rows[0], rows[1:]
    index, name, alias = (column(header, known) for known in (INDEX_COLUMNS, NAME_COLUMNS, ID_COLUMNS))
    if index is None and name is None and alias is None:
        numeric = [at for at in range(width) if all(is_index(row[at]) for row in body)] if body else []
        if not (numeric and not is_index(rows[0][numeric[0]])):  # else the first row names the columns in other words
            body = rows
        index = numeric[0] if numeric else None
    if index is not None and not all(is_index(row[index]) for row in body):
        # a column called "label" or "id" may hold the names themselves
        index, name = None, index if name is None else name
    alias = alias if alias is not None else _id_column(body, width)
    left = [at for at in range(width) if at not in (index, alias)]
    if name is None or name == index:
        if len(left) > 1:
            raise RefusedClasses(f"has {width} columns, and none is called {', '.join(NAME_COLUMNS[:3])}")
        name = left[0] if left else alias
    if name is None:
        raise RefusedClasses("has no column of names")
    entries: list[Any] = [[row[alias], row[name]] if alias not in (None, name) else row[name] for row in body]
    return entries if index is None else in_order([int(row[index]) for row in body], entries)


def in_order(numbers: Sequence[int], entries: Sequence[Any]) -> list[Any]:
    """The entries by their indices.

    Raises:
        RefusedClasses: the indices aren't 0, 1, 2, … each once.
    """
    by_index: dict[int, Any] = {}
    for number, entry in zip(numbers, entries, strict=True):
        if number in by_index:
            raise RefusedClasses(
                f"two classes have the index {shown(number)}: {shown(by_index[number])} and {shown(entry)}"
            )
        by_index[number] = entry
    missing = next((number for number in range(len(by_index)) if number not in by_index), None)
    if missing is not None:
        first, last = min(by_index), max(by_index)
        raise RefusedClasses(
            f"has the indices {shown(first)} to {shown(last)} for {len(by_index)} classes, and none for {missing}; "
            f"indices count from 0 without a gap"
        )
    return [by_index[number] for number in range(len(by_index))]


def _id_column(rows: Sequence[Sequence[str]], width: int) -> int | None:
    return next((at for at in range(width) if rows and all(WORDNET_ID.fullmatch(row[at]) for row in rows)), None)
