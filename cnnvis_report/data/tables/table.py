"""A table as it was read, before anybody knows which column is which."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnvis_report.data.masks.annotation import Annotation

Cell = tuple[str, ...]  # the texts in it: one, several where it holds a list, none where it is empty


class ListCell(tuple[str, ...]):
    """A cell that holds a list: where it is empty, the image bears no label."""


@dataclass(frozen=True)
class Table:
    """Rows of cells below the names of columns.

    name: of its file, for messages. columns: their names; empty where the table has none. classes: names of the classes
    that numbers in it count, where it says so.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    classes: tuple[str, ...] = ()

    def cell(self, row: Sequence[Cell], column: int) -> Cell:
        """A cell; empty where the row is shorter."""
        return row[column] if column < len(row) else ()

    def text(self, row: Sequence[Cell], column: int) -> str:
        """The first text of a cell."""
        return next(iter(self.cell(row, column)), "")


@dataclass(frozen=True)
class LabelRow:
    """What a table or an annotation file says of one image.

    path: as it stands there. bare: whether it says that the image bears no label. mask: where its objects are.
    """

    path: str
    labels: tuple[str, ...] = ()
    bare: bool = False
    mask: Annotation | None = None


@dataclass(frozen=True)
class LabelFile:
    """The rows of a table of labels.

    name: of the file. notices: how it was read, a sentence each. classes: names of the classes that labels which are
    numbers count, where it says so. part: whether rows of other splits were left out.
    """

    name: str
    rows: Sequence[LabelRow]
    notices: tuple[str, ...] = ()
    classes: tuple[str, ...] = field(default=())
    part: bool = False
