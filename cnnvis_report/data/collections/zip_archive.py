"""Zip archives of images, read in place."""

from pathlib import Path

from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.archives.member_images import images_of
from cnnvis_report.data.archives.zip_index import MAGIC, zip_members
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending, head_of
from cnnvis_report.data.image_file import FoundImages


def is_zip(text: str) -> bool:
    """Whether a file is a zip archive, by its first bytes or its name; one of arrays is another's."""
    path = Path(text)
    kind = ending(path)
    return path.is_file() and kind != ".npz" and (kind == ".zip" or head_of(path).startswith(MAGIC))


@collection(
    title="a zip archive",
    example="photos.zip",
    matches=is_zip,
    order=30,
    ways=(
        ImageWay("a zip archive of class folders", "photos.zip", "the folders in it"),
        ImageWay("a zip archive with a table in it", "photos.zip --split val", "a column of the table"),
    ),
    reads=("--split", "--label-columns"),
)
def zip_archive(text: str, selection: Selection) -> FoundImages:
    """The images in a zip archive; nothing is unpacked to the disk."""
    path = Path(text)
    return images_of([("", zip_members(LocalBytes(path), text))], path.name, selection)
