"""Files of labels: told apart by their ending and by what they hold, and read."""

from pathlib import Path

from cnnvis_report.data.coco.coco_file import coco_rows, is_coco
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.tables.columnar import parquet_table
from cnnvis_report.data.tables.columns import IsImage
from cnnvis_report.data.tables.delimited import table_of_text
from cnnvis_report.data.tables.join import joined, names_of
from cnnvis_report.data.tables.json_table import table_of_json, table_of_lines
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.data.tables.table import LabelFile
from cnnvis_report.data.tables.text_list import read_list
from cnnvis_report.data.tables.text_tables import read_json, read_text
from cnnvis_report.errors import BadRequest

DELIMITED = frozenset((".csv", ".tsv"))
LINES = frozenset((".jsonl", ".ndjson"))
JSON, LIST, PARQUET = ".json", ".txt", ".parquet"
ENDINGS = frozenset((*DELIMITED, *LINES, JSON, LIST, PARQUET))


def read_label_file(path: Path, selection: Selection, is_image: IsImage) -> LabelFile:
    """The rows of a table, a list or an annotation file, whatever its form.

    Args:
        is_image: whether a text names an image that is there.

    Raises:
        BadRequest: it can't be read, or has no paths, or not the columns or the split that were asked for.
    """
    kind = ending(path)
    if kind == PARQUET:
        return label_rows(parquet_table(path), selection, is_image)
    if kind == JSON:
        content = read_json(path, "a table of labels")
        if is_coco(content):
            _check_unused(path, selection, "COCO's annotations")
            return coco_rows(content, path.name)
        return label_rows(table_of_json(content, path.name), selection, is_image)
    if kind == LIST:
        _check_unused(path, selection, "a list of images")
        return read_list(path, is_image)
    text = read_text(path, "a table of labels")
    table = table_of_lines(text, path.name) if kind in LINES else table_of_text(text, path.name, kind)
    return label_rows(table, selection, is_image)


def with_labels_of(images: FoundImages, path: Path, selection: Selection) -> FoundImages:
    """The images with the labels of a file.

    Raises:
        BadRequest: it can't be read, or none of its rows is of an image.
    """
    if ending(path) not in ENDINGS:
        raise BadRequest(
            f"--labels {path}: it is names, folders, indices, or a file that ends in {' '.join(sorted(ENDINGS))}."
        )
    return joined(images, read_label_file(path, selection, names_of(images)))


def _check_unused(path: Path, selection: Selection, what: str) -> None:
    for option in ("--split", "--label-columns"):
        selection.refuse(option, f"{path.name} is {what}, which has no use for {option}.")
