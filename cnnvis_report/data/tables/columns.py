"""Which columns of a table hold paths, labels and parts of the set."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cnnvis_report.data.image_file import several
from cnnvis_report.data.plain_names import plain
from cnnvis_report.data.split_names import SPLIT_COLUMNS
from cnnvis_report.data.tables.delimited import looks_like_an_image
from cnnvis_report.data.tables.table import Table
from cnnvis_report.data.tables.text_tables import LABEL_COLUMNS, PATH_COLUMNS
from cnnvis_report.errors import BadRequest, UnknownName

TRIED = 100  # rows that tell what a column holds
BORNE, UNCERTAIN = {"1", "1.0", "true"}, {"-1", "-1.0"}
ONE_HOT = {"0", "0.0", "", "false"} | BORNE | UNCERTAIN
IsImage = Callable[[str], bool]


@dataclass(frozen=True)
class Columns:
    """Columns by their number; `flags`: whether those of labels are labels themselves, where they hold 1."""

    path: int
    labels: tuple[int, ...] = ()
    split: int | None = None
    flags: bool = False


def find_columns(table: Table, label_columns: Sequence[str], is_image: IsImage) -> Columns:
    """The columns of a table, by their usual names and by what they hold.

    Args:
        label_columns: those of labels, by name; empty where they are to be found. is_image: whether a text names an
            image that is there.

    Raises:
        BadRequest: no column holds paths, one that was asked for isn't there, or two of a name say different things.
    """
    columns = _choose(table, label_columns, is_image)
    for number in (columns.path, *columns.labels, *([] if columns.split is None else [columns.split])):
        check_only(table, number, exactly=bool(label_columns) and number in columns.labels)
    return columns


def _choose(table: Table, label_columns: Sequence[str], is_image: IsImage) -> Columns:
    path = _path(table, is_image)
    names = [plain(name) for name in table.columns]
    split = next((names.index(name) for name in SPLIT_COLUMNS if name in names and names.index(name) != path), None)
    if label_columns:
        numbers = tuple(_number(table, name) for name in label_columns)
        return Columns(path, numbers, split, flags=len(numbers) > 1 and _are_flags(table, numbers))
    if not names:
        width = max((len(row) for row in table.rows), default=0)
        others = [number for number in range(width) if number != path]
        return Columns(path, tuple(others[:1]))
    left = [number for number, name in enumerate(names) if name and number not in (path, split)]
    known = [names.index(name) for name in LABEL_COLUMNS if name in names and names.index(name) in left]
    if known or len(left) == 1:
        return Columns(path, tuple((known or left)[:1]), split)
    flags = tuple(number for number in left if _are_flags(table, (number,)))
    return Columns(path, flags, split, flags=True) if len(flags) > 1 else Columns(path, (), split)


def _path(table: Table, is_image: IsImage) -> int:
    """The column of paths."""
    names = [plain(name) for name in table.columns]
    width = max([len(names), *(len(row) for row in table.rows[:TRIED])])
    known = [names.index(name) for name in PATH_COLUMNS if name in names]
    rest = [number for number in range(width) if number not in known]
    for test in (is_image, looks_like_an_image):
        for number in (*known, *rest):
            texts = [text for row in table.rows[:TRIED] if (text := table.text(row, number))]
            if texts and (any if number in known else _mostly)(map(test, texts)):
                return number
    if known:
        return known[0]
    first = list(table.columns) or [table.text(table.rows[0], number) for number in range(len(table.rows[0]))]
    raise BadRequest(
        f"{table.name}: no column holds paths of images. Its first line is {several(first, 12)}. "
        "A column called file, path or image is looked for, or one whose cells end as images do."
    )


def _mostly(answers: Iterable[bool]) -> bool:
    listed = list(answers)
    return sum(listed) * 2 > len(listed)


def _number(table: Table, name: str) -> int:
    """A column by its name, or whatever its case and the marks between its words."""
    if not table.columns:
        raise BadRequest(f"--label-columns {name}: {table.name} has no line that names its columns.")
    if name in table.columns:
        return table.columns.index(name)
    names = [plain(column) for column in table.columns]
    if plain(name) not in names:
        raise UnknownName("column", name, [column for column in table.columns if column])
    return names.index(plain(name))


def check_only(table: Table, number: int, *, exactly: bool) -> None:
    """Refuse a column beside which another one of its name holds something else.

    Args:
        exactly: whether it was asked for by name, so that case and marks tell columns apart.
    """
    names = list(table.columns) if exactly else [plain(name) for name in table.columns]
    if number >= len(names) or not names[number]:
        return
    for other in (other for other, name in enumerate(names) if name == names[number] and other != number):
        for count, row in enumerate(table.rows, 1):
            both = table.text(row, number), table.text(row, other)
            if both[0] != both[1]:
                name, first, second = (repr(several([text])) for text in (names[number], *both))
                raise BadRequest(
                    f"{table.name}: columns {number + 1} and {other + 1} are both called {name}, and row {count} of "
                    f"one holds {first}, of the other {second}. Rename or remove one of them."
                )


def _are_flags(table: Table, numbers: Sequence[int]) -> bool:
    """Whether columns hold 0 and 1 alone."""
    values = {table.text(row, number).lower() for row in table.rows for number in numbers}
    return values <= ONE_HOT and bool(values - {""})
