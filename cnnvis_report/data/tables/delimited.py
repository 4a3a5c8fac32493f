"""CSV and TSV tables, with or without a line of column names."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.data.formats import EXTENSIONS
from cnnvis_report.data.tables.table import Table
from cnnvis_report.data.tables.text_tables import is_known, read_rows
from cnnvis_report.errors import BadRequest

MOST_COLUMNS = 10_000
LONGEST_ROW = 1 << 20  # characters; tables may have a column for each of many labels


def looks_like_an_image(text: str) -> bool:
    """Whether a text ends as the names of images do."""
    return Path(text).suffix.lower() in EXTENSIONS


def table_of_text(text: str, name: str, suffix: str) -> Table:
    """The table in a text with tabs, semicolons, commas or bars between its cells.

    The first row names the columns where one of its cells is a usual name and none is a path of an image, or where
    another row has such a path and the first has none.

    Raises:
        BadRequest: a line is too long to be a row, or has too many cells.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    long = next(((number, len(line)) for number, line in enumerate(lines, start=1) if len(line) > LONGEST_ROW), None)
    if long is not None:
        raise BadRequest(
            f"{name}: line {long[0]} has {long[1]} characters; a line of a table has at most {LONGEST_ROW}."
        )
    rows = read_rows(lines, suffix)
    wide = next((len(row) for row in rows if len(row) > MOST_COLUMNS), 0)
    if wide:
        raise BadRequest(f"{name}: a line of it has {wide:,} cells, and a table has at most {MOST_COLUMNS:,} columns.")
    rows = [row for row in rows if any(row)]
    header = _has_header(rows)
    body = [[(cell,) if cell else () for cell in row] for row in (rows[1:] if header else rows)]
    return Table(name, tuple(rows[0]) if header else (), body)


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    if not rows or any(looks_like_an_image(cell) for cell in rows[0]):
        return False
    return any(is_known(cell) for cell in rows[0]) or any(
        looks_like_an_image(cell) for row in rows[1:100] for cell in row
    )
