"""Tables of images: CSV, TSV and JSON lines."""

from functools import partial
from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.tables.image_rows import image_files, is_file_in
from cnnvis_report.data.tables.label_file import DELIMITED, LINES, read_label_file


def is_table(text: str) -> bool:
    """Whether a file is a table, by its ending."""
    path = Path(text)
    return ending(path) in DELIMITED | LINES and path.exists() and not path.is_dir()


@collection(
    title="a table of images",
    example="labels.csv",
    matches=is_table,
    order=40,
    reads=("--split", "--label-columns"),
    ways=(
        ImageWay("a table of paths and labels, CSV or TSV", "labels.csv", "a column, found or `--label-columns`"),
        ImageWay(
            "one with several labels per image", "labels.csv", "`cat|dog`, rows of one image, or columns of 0 and 1"
        ),
        ImageWay("one with a column of splits", "labels.csv --split val", "a column"),
        ImageWay("the same as JSON lines", "labels.jsonl", "a key of each object"),
        ImageWay("a folder, zip or set, and a table beside it", "photos/ --labels labels.csv", "joined by name"),
        ImageWay("ImageNet's `LOC_val_solution.csv`", "val/ --labels LOC_val_solution.csv", "WordNet ids"),
    ),
)
def image_table(text: str, selection: Selection) -> FoundImages:
    """The images that a table names, with their labels."""
    path = Path(text)
    return image_files(read_label_file(path, selection, partial(is_file_in, path.parent)), path.parent)
