"""Lists and tables of images: .txt, .csv and .tsv files."""

from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import LISTS, ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.image_lists import read_list


def is_list(text: str) -> bool:
    """Whether a file is a list, by its ending."""
    path = Path(text)
    return ending(path) in LISTS and path.exists() and not path.is_dir()


@collection(
    title="a list of images",
    example="images.csv",
    matches=is_list,
    order=40,
    ways=(
        ImageWay("a list of paths, with or without labels", "images.txt", "after the path"),
        ImageWay("a table with columns of paths and labels", "images.csv", "a column of the table"),
    ),
)
def image_list(text: str, _selection: Selection) -> FoundImages:
    """The images that a list names, with their labels."""
    files, notices = read_list(Path(text))
    return FoundImages(tuple(files), notices=tuple(notices))
