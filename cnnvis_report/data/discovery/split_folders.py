"""Folders that are the parts of a set, such as train and val, within a folder of images."""

from collections.abc import Iterable
from pathlib import Path

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_file import ImageFile, natural, several
from cnnvis_report.data.split_names import in_split, no_part


def of_split(images: Iterable[ImageFile], selection: Selection, folder: Path) -> list[ImageFile]:
    """The images that lie in a folder called like the wanted part; all where none is wanted.

    Raises:
        BadRequest: no folder is called so.
        UnusedOption: no folder is a part of a set; or columns are asked for, which a folder hasn't.
    """
    images = list(images)
    selection.refuse("--label-columns", f"{folder} is a folder, which has none.")
    if not selection.split:
        return images
    wanted = [image for image in images if any(in_split(name, selection.split) for name in image.folders)]
    if not wanted:
        names = sorted({name for image in images for name in image.folders}, key=natural)
        known = f"it has {several(names, 6)}" if names else "it has no sub-folders"
        raise no_part(selection.split, names, f"no sub-folder of {folder} is called so; {known}.")
    return wanted
