"""Lists, tables and JSON files that name images: each is opened by its ending."""

from collections.abc import Set
from functools import partial
from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.tables.image_rows import image_files, in_folders, is_file_in
from cnnvis_report.data.tables.label_file import DELIMITED, JSON, LINES, LIST, read_label_file
from cnnvis_report.data.tables.text_list import read_list


@collection(
    title="a list of images",
    example="images.txt",
    matches=lambda text: _ends_in(text, {LIST}),
    order=40,
    ways=(
        ImageWay("a list of paths, with or without labels", "images.txt", "after the path"),
        ImageWay("ImageNet's validation set and its `val.txt`", "val/ --labels val.txt", "after the path, as indices"),
    ),
)
def image_list(text: str, _selection: Selection) -> FoundImages:
    """The images that a list names, with their labels."""
    path = Path(text)
    return image_files(read_list(path, partial(is_file_in, path.parent)), path.parent)


@collection(
    title="a table of images",
    example="labels.csv",
    matches=lambda text: _ends_in(text, DELIMITED | LINES),
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


def image_folders(path: Path) -> tuple[Path, ...]:
    """Where the images of an annotation file may be: beside it, or beside its folder, as COCO has them.

    Args:
        path: such as annotations/instances_val2017.json.
    """
    part = path.stem.rpartition("_")[2]
    around = (path.parent, path.resolve().parent.parent)
    inner = ("", "images", part, f"images/{part}", path.stem)
    folders = [folder / name for folder in around for name in inner]
    return tuple(folder for folder in folders if folder.is_dir()) or (path.parent,)


@collection(
    title="a JSON file of images",
    example="instances_val2017.json",
    matches=lambda text: _ends_in(text, {JSON}),
    order=40,
    reads=("--split", "--label-columns"),
    ways=(
        ImageWay(
            "COCO's annotations", "annotations/instances_val2017.json", "categories; masks from outlines or boxes"
        ),
        ImageWay("the same with images elsewhere", "val2017/ --labels instances_val2017.json", "the same"),
        ImageWay("a table in JSON", "labels.json", "a key of each object, or the value of each path"),
    ),
)
def json_annotations(text: str, selection: Selection) -> FoundImages:
    """The images of a JSON file, with their labels and, of COCO's, their masks."""
    path = Path(text)
    folders = image_folders(path)
    table = read_label_file(path, selection, lambda name: any(is_file_in(folder, name) for folder in folders))
    return image_files(table, in_folders(table, folders))


def _ends_in(text: str, endings: Set[str]) -> bool:
    """Whether it is called like such a file, and no folder; whether it can be read shows when it is."""
    path = Path(text)
    return ending(path) in endings and path.exists() and not path.is_dir()
