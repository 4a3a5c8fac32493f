"""Tables with commas that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what a cell of a formula begins with

Cell = str | int | float | None


def table(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as text: numbers as they are, texts that a spreadsheet would compute with an apostrophe before them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([[_cell(value) for value in row] for row in rows])
    return stream.getvalue()


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)
    return f"'{plain}" if value.lstrip().startswith(FORMULA) or value.startswith(FORMULA) else plain
