"""Lists of images: .txt files with a path a line."""

from functools import partial
from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.tables.image_rows import image_files, is_file_in
from cnnvis_report.data.tables.text_list import read_list


def is_list(text: str) -> bool:
    """Whether a file is a list, by its ending."""
    path = Path(text)
    return ending(path) == ".txt" and path.exists() and not path.is_dir()


@collection(
    title="a list of images",
    example="images.txt",
    matches=is_list,
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
