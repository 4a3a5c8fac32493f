"""Parquet files: tables of paths and labels, or of the images themselves."""

from functools import partial
from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.tables.columnar import EXTRA, class_names, image_columns, open_parquet, table_rows
from cnnvis_report.data.tables.image_rows import image_files, is_file_in
from cnnvis_report.data.tables.label_file import PARQUET, read_label_file
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.data.tables.row_images import RowEntry, RowImages
from cnnvis_report.data.tables.table import Table

MAGIC = b"PAR1"
NUMBER = "row"  # the column that stands for a path where images lie in the table


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
    images = RowImages(partial(open_parquet, path), columns[0])
    rest = [name for name in file.schema_arrow.names if name not in columns]
    cells = table_rows(file, path, rest)
    rows = [((f"{number:06d}",), *row) for number, row in enumerate(cells)]
    numbers = {row[0][0] for row in rows}
    table = Table(path.name, (NUMBER, *rest), rows, class_names(file, rest))
    found_labels = label_rows(table, selection, lambda text: text in numbers)
    files = tuple(
        ImageFile(Path(row.path), row.path, labels=row.labels, bare=row.bare, entry=RowEntry(path, row.path, images))
        for row in found_labels.rows
    )
    more = f" of which images in column {columns[0]!r} are taken" if len(columns) > 1 else ""
    notices = (f"{path.name} holds images{',' + more if more else ''}.", *found_labels.notices)
    return FoundImages(files, notices=notices, classes=found_labels.classes)
