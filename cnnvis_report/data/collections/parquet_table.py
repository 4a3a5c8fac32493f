"""Parquet files: tables of paths and labels, or of the images themselves."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.entry import MOST_BYTES, Entry
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.tables.image_rows import image_files, is_file_in
from cnnvis_report.data.tables.label_file import PARQUET, read_label_file
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.data.tables.parquet import EXTRA, class_names, image_columns, open_parquet, table_rows
from cnnvis_report.data.tables.table import Table

MAGIC = b"PAR1"
NUMBER = "row"  # the column that stands for a path where images lie in the table
AT_A_TIME = 64  # rows that are in memory at once


def is_parquet(text: str) -> bool:
    """Whether a file is one, by its ending and its first bytes."""
    path = Path(text)
    if ending(path) != PARQUET or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@collection(
    title="a Parquet file",
    example="labels.parquet",
    matches=is_parquet,
    order=30,
    requires=("pyarrow",),
    install=EXTRA,
    reads=("--split", "--label-columns"),
    ways=(
        ImageWay("a table of paths and labels in Parquet", "labels.parquet", "a column"),
        ImageWay("a Parquet file of images and labels", "validation.parquet", "a column; names as the file notes them"),
    ),
)
def parquet_table(text: str, selection: Selection) -> FoundImages:
    """The images that a Parquet file names, or those that it holds."""
    path = Path(text)
    file = open_parquet(path)
    columns = image_columns(file)
    if not columns:
        return image_files(read_label_file(path, selection, partial(is_file_in, path.parent)), path.parent)
    images = _Images(path, columns[0])
    rest = [name for name in file.schema_arrow.names if name not in columns]
    cells = table_rows(file, path, rest)
    rows = [((f"{number:06d}",), *row) for number, row in enumerate(cells)]
    numbers = {row[0][0] for row in rows}
    table = Table(path.name, (NUMBER, *rest), rows, class_names(file, rest))
    found_labels = label_rows(table, selection, lambda text: text in numbers)
    files = tuple(
        ImageFile(Path(row.path), row.path, labels=row.labels, bare=row.bare, entry=_Row(path, row.path, images))
        for row in found_labels.rows
    )
    more = f" of which images in column {columns[0]!r} are taken" if len(columns) > 1 else ""
    notices = (f"{path.name} holds images{',' + more if more else ''}.", *found_labels.notices)
    return FoundImages(files, notices=notices, classes=found_labels.classes)


@dataclass(eq=False)
class _Images:
    """The images of a column, a few rows of which are in memory."""

    path: Path
    column: str
    first: int = 0
    rows: list[Any] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    _batches: Any = None

    def read(self, row: int) -> bytes:
        """The bytes of one; rows are read one after the other, from the first again where one lies further back."""
        with self.lock:
            if row < self.first or self._batches is None:
                file = open_parquet(self.path)
                self.first, self.rows = 0, []
                self._batches = file.iter_batches(batch_size=AT_A_TIME, columns=[self.column])
            while row >= self.first + len(self.rows):
                self.first += len(self.rows)
                batch = next(self._batches, None)
                if batch is None:
                    raise UnusablePicture("the file has fewer rows than before")
                self.rows = batch.column(0).to_pylist()
            value = self.rows[row - self.first]
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes) or not content:
            raise UnusablePicture("no bytes of an image are in its row")
        if len(content) > MOST_BYTES:
            raise UnusablePicture(f"more than {MOST_BYTES >> 20} MB")
        return content


@dataclass(frozen=True)
class _Row(Entry):
    """The image in a row; its key is the row's number."""

    images: _Images = field(compare=False)

    def read(self) -> bytes:
        """Its bytes."""
        try:
            return self.images.read(int(self.key))
        except UnusablePicture:
            raise
        except Exception as error:  # of the library's C++ code, in many types
            raise UnusablePicture(f"its row can't be read ({str(error).splitlines()[0][:80]})") from error
