"""Tables in JSON and JSON lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnvis_report.data.tables.delimited import MOST_COLUMNS, looks_like_an_image
from cnnvis_report.data.tables.table import Cell, ListCell, Table
from cnnvis_report.data.tables.text_tables import RepeatedKey, parsed_once
from cnnvis_report.errors import BadRequest

MANY_CELLS, SCATTERED = 10_000_000, 20  # from where on it counts how many cells there are for one that holds something
INNER = ("labels", "images", "data", "samples", "annotations", "items", "rows", "train", "val", "test")
FORMS = (
    'a list of objects such as {"file": "a.jpg", "label": "cat"}, an object of lists, pairs of path and label, an '
    "object of paths and labels, or COCO's annotations"
)


def table_of_lines(text: str, name: str) -> Table:
    """The table in JSON lines: an object a line.

    Raises:
        BadRequest: a line is no object.
    """
    objects = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            entry = _entry(line, f"{name}: line {number}")
            if not isinstance(entry, Mapping):
                raise BadRequest(f'{name}: line {number} is no JSON object, such as {{"file_name": "a.jpg"}}.')
            objects.append(entry)
    return _of_objects(objects, name)


def _entry(line: str, where: str) -> Any:
    try:
        return parsed_once(line)
    except RepeatedKey as error:
        raise BadRequest(f"{where}: {error}.") from error
    except (ValueError, RecursionError):
        return None


def is_scattered(columns: Sequence[str], objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nearly all cells of a table of these objects would be empty: some KB of them can make gigabytes."""
    cells = len(columns) * len(objects)
    return cells > MANY_CELLS and cells > SCATTERED * sum(map(len, objects))


def table_of_json(content: Any, name: str) -> Table:
    """The table in what JSON holds.

    Raises:
        BadRequest: it holds none.
    """
    if isinstance(content, Mapping) and content:
        values = list(content.values())
        lists = [value for value in values if isinstance(value, list)]
        if all(looks_like_an_image(key) for key in content):
            return Table(name, (), [((key,), cell_of(value)) for key, value in content.items()])
        if len(lists) == len(values) > 1 and len({len(value) for value in lists}) == 1 and _flat(lists):
            columns = tuple(map(str, content))
            return Table(name, columns, [tuple(map(cell_of, row)) for row in zip(*lists, strict=True)])
        for key in INNER:
            inner = content.get(key)
            if inner and isinstance(inner, list) and isinstance(inner[0], list | Mapping):
                return table_of_json(inner, name)
    if isinstance(content, list) and content:
        if all(isinstance(entry, Mapping) for entry in content):
            return _of_objects(content, name)
        if all(isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in content):
            return Table(name, (), [tuple(map(cell_of, entry)) for entry in content])
        if all(isinstance(entry, str) and looks_like_an_image(entry) for entry in content):
            return Table(name, (), [((entry,),) for entry in content])
    raise BadRequest(f"{name}: is no table of images and labels. Possible are {FORMS}.")


def _flat(lists: Sequence[list[Any]]) -> bool:
    return all(not isinstance(entry, Mapping) for values in lists for entry in values[:1])


def _of_objects(objects: Sequence[Mapping[str, Any]], name: str) -> Table:
    columns = list(dict.fromkeys(key for entry in objects for key in entry))
    if len(columns) > MOST_COLUMNS:
        raise BadRequest(f"{name}: its objects have {len(columns)} keys, and a table has at most {MOST_COLUMNS}.")
    if is_scattered(columns, objects):
        raise BadRequest(
            f"{name}: its {len(objects):,} objects have {len(columns):,} different keys, and few of these each; a "
            "table has the same keys in each of its rows."
        )
    rows = [tuple(cell_of(entry.get(column)) for column in columns) for entry in objects]
    return Table(name, tuple(columns), rows)


def cell_of(value: object) -> Cell:
    """A value as the texts of a cell; what is neither a value nor a list of values has none."""
    match value:
        case None:
            return ()
        case bool():
            return (str(int(value)),)
        case str():
            return (value.strip(),) if value.strip() else ()
        case int() | float():
            return (_number(value),)
        case list() | tuple():
            return ListCell(text for entry in value if not isinstance(entry, list | tuple) for text in cell_of(entry))
        case {"path": str(path)}:  # an image of Hugging Face datasets
            return (path,)
    return ()


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number of thousands of digits"
