"""Tables in Arrow files, as Hugging Face datasets keep them; mapped into memory, and looked over before any use."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnnvis_report.data.tables.json_table import cell_of
from cnnvis_report.data.tables.parquet import MOST_CELLS
from cnnvis_report.data.tables.table import Cell
from cnnvis_report.errors import BadRequest

FILE_MAGIC = b"ARROW1"  # of files; streams have none


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
            self._table: Any = opened.read_all()
            self._table.validate(full=True)  # offsets beyond the file would end the process
        except Exception as error:  # of its C++ code, in many types
            raise BadRequest(f"{path}: can't be read as an Arrow file ({str(error).splitlines()[0][:100]}).") from error
        self.path = path

    @property
    def schema_arrow(self) -> Any:
        """Its columns, as a Parquet file has them."""
        return self._table.schema

    def iter_batches(self, batch_size: int, columns: Sequence[str]) -> Iterator[Any]:
        """Some columns, a few rows at a time."""
        yield from self._table.select(list(columns)).to_batches(max_chunksize=batch_size)

    def rows(self, columns: Sequence[str]) -> list[tuple[Cell, ...]]:
        """The cells of some columns.

        Raises:
            BadRequest: they are too large.
        """
        chosen = self._table.select(list(columns))
        if chosen.nbytes > MOST_CELLS:
            raise BadRequest(
                f"{self.path}: its columns hold {chosen.nbytes >> 20} MB, and a table of labels at most "
                f"{MOST_CELLS >> 20}."
            )
        if not columns:
            return [()] * self._table.num_rows
        content = chosen.to_pydict()
        return [tuple(map(cell_of, row)) for row in zip(*(content[name] for name in columns), strict=True)]
