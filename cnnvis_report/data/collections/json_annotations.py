"""JSON files of images: COCO's annotations, and tables."""

from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.tables.image_rows import image_files, in_folders, is_file_in
from cnnvis_report.data.tables.label_file import JSON, read_label_file


def is_json(text: str) -> bool:
    """Whether a file is JSON, by its ending."""
    path = Path(text)
    return ending(path) == JSON and path.exists() and not path.is_dir()


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
    matches=is_json,
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
