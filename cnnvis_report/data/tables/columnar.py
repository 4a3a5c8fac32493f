"""Tables in Parquet and Arrow files: paths and labels, or the images themselves."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnnvis_report.data.tables.json_table import cell_of
from cnnvis_report.data.tables.table import Cell, Table
from cnnvis_report.errors import BadRequest

EXTRA = "cnnvis-report[parquet]"
MOST_CELLS = 1 << 27  # bytes of all columns but those of images
FILE_MAGIC = b"ARROW1"  # of files; streams have none


def open_parquet(path: Path) -> Any:
    """The file, of which nothing but its description is read.

    Raises:
        BadRequest: it is no Parquet file, or pyarrow isn't installed.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise BadRequest(f"{path}: pyarrow is needed to read it and not installed: pip install '{EXTRA}'") from error
    try:
        return parquet.ParquetFile(path)
    except Exception as error:  # of its C++ code, in many types
        raise BadRequest(f"{path}: can't be read as a Parquet file ({str(error).splitlines()[0][:100]}).") from error


def image_columns(file: Any) -> tuple[str, ...]:
    """The columns of bytes, and of bytes and a path as Hugging Face datasets write them."""
    import pyarrow

    names = []
    for field in file.schema_arrow:
        kind = field.type
        inner = (
            kind.field("bytes").type if pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind
        )
        if pyarrow.types.is_binary(inner) or pyarrow.types.is_large_binary(inner):
            names.append(field.name)
    return tuple(names)


def parquet_table(path: Path) -> Table:
    """The columns of a Parquet file that hold no images.

    Raises:
        BadRequest: it can't be read, or is too large to be a table of labels.
    """
    file = open_parquet(path)
    left_out = set(image_columns(file))
    columns = [name for name in file.schema_arrow.names if name not in left_out]
    return Table(path.name, tuple(columns), table_rows(file, path, columns), class_names(file, columns))


def table_rows(file: Any, path: Path, columns: Sequence[str]) -> list[tuple[Cell, ...]]:
    """The cells of some columns.

    Raises:
        BadRequest: they are too large, or can't be read.
    """
    if isinstance(file, ArrowFile):
        chosen = file.table.select(list(columns))
        _check_size(path, chosen.nbytes)
        return _cells(chosen, columns, file.table.num_rows)
    metadata = file.metadata
    size = sum(
        metadata.row_group(group).column(number).total_uncompressed_size
        for group in range(metadata.num_row_groups)
        for number in range(metadata.num_columns)
        if metadata.row_group(group).column(number).path_in_schema.split(".")[0] in columns
    )
    _check_size(path, size)
    try:
        return _cells(file.read(columns=list(columns)), columns, metadata.num_rows)
    except Exception as error:  # of its C++ code, in many types
        raise BadRequest(f"{path}: can't be read as a Parquet file ({str(error).splitlines()[0][:100]}).") from error


def _check_size(path: Path, size: int) -> None:
    if size > MOST_CELLS:
        raise BadRequest(f"{path}: its columns hold {size >> 20} MB, and a table of labels at most {MOST_CELLS >> 20}.")


def _cells(table: Any, columns: Sequence[str], count: int) -> list[tuple[Cell, ...]]:
    if not columns:
        return [()] * count
    content = table.to_pydict()
    return [tuple(map(cell_of, row)) for row in zip(*(content[name] for name in columns), strict=True)]


def features_of(file: Any) -> dict[str, Any]:
    """What each column is, as Hugging Face datasets note it; nothing where they don't."""
    try:
        features = json.loads((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def class_names(file: Any, columns: Sequence[str]) -> tuple[str, ...]:
    """The names that numbers in a column count, by its features; empty where there are none."""
    noted = (features_of(file).get(column) for column in columns)
    names = next((feature["names"] for feature in noted if isinstance(feature, dict) and "names" in feature), None)
    return tuple(map(str, names)) if isinstance(names, list) else ()


class ArrowFile:
    """An Arrow file or stream.

    Raises:
        BadRequest: it is none, or what it says of itself can't be.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow

        try:
            memory = pyarrow.memory_map(str(path))
            is_file = memory.read(len(FILE_MAGIC)) == FILE_MAGIC
            memory.seek(0)
            opened = pyarrow.ipc.open_file(memory) if is_file else pyarrow.ipc.open_stream(memory)
            self.table: Any = opened.read_all()
            self.table.validate(full=True)  # offsets beyond the file would end the process
        except Exception as error:  # of its C++ code, in many types
            raise BadRequest(f"{path}: can't be read as an Arrow file ({str(error).splitlines()[0][:100]}).") from error

    @property
    def schema_arrow(self) -> Any:
        """Its columns, as a Parquet file has them."""
        return self.table.schema

    def iter_batches(self, batch_size: int, columns: Sequence[str]) -> Iterator[Any]:
        """Some columns, a few rows at a time."""
        yield from self.table.select(list(columns)).to_batches(max_chunksize=batch_size)
