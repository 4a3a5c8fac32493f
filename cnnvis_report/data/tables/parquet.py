"""Tables in Parquet files: paths and labels, or the images themselves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnvis_report.data.tables.json_table import cell_of
from cnnvis_report.data.tables.table import Cell, Table
from cnnvis_report.errors import BadRequest

EXTRA = "cnnvis-report[parquet]"
MOST_CELLS = 1 << 27  # bytes of all columns but those of images


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
    metadata = file.metadata
    size = sum(
        metadata.row_group(group).column(number).total_uncompressed_size
        for group in range(metadata.num_row_groups)
        for number in range(metadata.num_columns)
        if metadata.row_group(group).column(number).path_in_schema.split(".")[0] in columns
    )
    if size > MOST_CELLS:
        raise BadRequest(f"{path}: its columns hold {size >> 20} MB, and a table of labels at most {MOST_CELLS >> 20}.")
    try:
        content = file.read(columns=list(columns)).to_pydict()
    except Exception as error:  # of its C++ code, in many types
        raise BadRequest(f"{path}: can't be read as a Parquet file ({str(error).splitlines()[0][:100]}).") from error
    if not columns:
        return [()] * metadata.num_rows
    return [tuple(map(cell_of, row)) for row in zip(*(content[name] for name in columns), strict=True)]


def class_names(file: Any, columns: Sequence[str]) -> tuple[str, ...]:
    """The names that numbers in a column count, as Hugging Face datasets note them; empty where there are none."""
    try:
        notes = json.loads((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
        features = notes["info"]["features"]
        names = next(features[column]["names"] for column in columns if "names" in features.get(column, {}))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()
