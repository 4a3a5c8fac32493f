"""An image set: found first, decoded one by one as the run comes to them."""

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from stat import S_ISREG

from PIL import Image

from cnnvis_report.errors import BadRequest
from cnnvis_report.loading.boxes import read_boxes
from cnnvis_report.loading.class_names import class_called
from cnnvis_report.loading.contents import FileContent
from cnnvis_report.loading.datasets import parts_of
from cnnvis_report.loading.pictures import EXTENSIONS, UnusablePicture, read_picture
from cnnvis_report.records import Label

BOXES = ".xml"


@dataclass(frozen=True)
class Item:
    """One image of the set.

    id: unique, of letters, digits and hyphens only: names of files and anchors are made of it.
    name: as the report shows it, relative to the folder that was given; a stranger's text.
    open: decodes it; raises UnusablePicture. made: what tells its content, where that isn't files alone.
    labels: what it is said to show; several where the classes don't exclude each other.
    mask: where what decides the class is, at the picture's own size, if anybody knows.
    files: that hold it: the picture's, and that of its mask.
    """

    id: str
    name: str
    open: Callable[[], Image.Image]
    made: str
    labels: tuple[Label, ...] = ()
    mask: Callable[[], Image.Image] | None = None
    files: tuple[FileContent, ...] = ()

    @property
    def label(self) -> Label | None:
        """The first of its labels; None where there is none."""
        return self.labels[0] if self.labels else None

    @property
    def fingerprint(self) -> str:
        """Changes with whatever was last read of its files, or, where nothing was, with what they hold now."""
        return self.made + "+".join(file.digest() for file in self.files)

    @property
    def content(self) -> str:
        """The fingerprint of the picture alone, whatever mask goes with it."""
        return self.fingerprint.partition("+")[0]


@dataclass(frozen=True)
class ImageSet:
    """Images in order. notices: what a user has to know of how they were found, a sentence each."""

    items: tuple[Item, ...]
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


@dataclass(frozen=True)
class Found:
    """A file that may be an image: where, under which name, in which folder, the label a list gives it, its mask."""

    path: Path
    name: str
    folder: str = ""
    label: str = ""
    mask: Path | None = None


def find_images(paths: Sequence[Path], limit: int | None = None) -> tuple[Found, ...]:
    """The images in files, folders (and their sub-folders) and `.txt` lists, in natural order within each.

    A folder with a drawn data set stands for its pictures, with their masks. A list has a path a line, relative to
    the list, and after a tab the label if it is known; lines that start with # don't count.

    Args:
        paths: what the user gave.
        limit: at most so many images.

    Raises:
        BadRequest: a path doesn't exist, or there isn't one image.
    """
    found: list[Found] = []
    for path in paths:
        several = f"{path.name}/" if len(paths) > 1 and path.is_dir() else ""
        found += [replace(each, name=several + each.name) for each in _found_in(path)]
    found = list({each.path: each for each in found}.values())[:limit]
    if not found:
        raise BadRequest(
            f"No image in {', '.join(path.name or str(path) for path in paths)}. "
            f"Files that end in {' '.join(sorted(EXTENSIONS))} are looked for, in sub-folders too."
        )
    return tuple(found)


def labelled(
    found: Sequence[Found], classes: Sequence[str], *, folders_are_labels: bool = False, masks: Path | None = None
) -> ImageSet:
    """The image set, each image with its label where one is known.

    A sub-folder that bears a class's name is the label of the images in it and below it.

    Args:
        found: as `find_images` gives them.
        classes: the network's class names.
        folders_are_labels: every sub-folder's name is a label, whether the network has such a class or not. If none
            is a class and there are as many as classes, they stand for the classes in order.
        masks: a folder of masks or of annotations in the form of Pascal VOC, each called like its image, in the same
            sub-folder, with any ending.

    Raises:
        BadRequest: there is no such folder of masks, or none in it belongs to an image.
    """
    label_of = _labels(found, classes, folders_are_labels)
    mask_of = {each: each.mask for each in found if each.mask is not None} if masks is None else _masks(found, masks)
    digits = len(str(len(found)))
    files = {each: tuple(map(FileContent, (each.path, *filter(None, [mask_of.get(each)])))) for each in found}
    return ImageSet(
        tuple(
            Item(
                f"{place:0{digits}d}-{_slug(each.name)}".strip("-"),
                _readable(each.name),
                _opener(files[each][0]),
                "",
                (label,) if label is not None else (),
                _mask_opener(files[each][1], label) if each in mask_of else None,
                files[each],
            )
            for place, (each, label) in enumerate(zip(found, map(label_of, found), strict=True), start=1)
        )
    )


def _masks(found: Sequence[Found], folder: Path) -> dict[Found, Path]:
    """The mask of each image that has one."""
    if not folder.is_dir():
        raise BadRequest(f"--masks {folder}: there is no such folder.")
    known = {Path(each.name).with_suffix("").as_posix(): each.path for each in _walk(folder, {*EXTENSIONS, BOXES})}
    names = {each: Path(each.name).with_suffix("").as_posix() for each in found}
    masks = {each: known[name] for each, name in names.items() if name in known}
    if not masks:
        example = next(iter(names.values()))
        raise BadRequest(
            f"--masks {folder}: none of its {len(known)} masks is called like an image, such as {example}.png."
        )
    return masks


def _found_in(path: Path) -> list[Found]:
    if path.is_dir():
        parts = parts_of(path)
        if parts is None:
            return list(_walk(path))
        masks = {each.name: each.path for each in _walk(parts[1])}
        return [replace(each, mask=masks.get(each.name)) for each in _walk(parts[0])]
    if not path.exists():
        raise BadRequest(f"{path}: there is no such file or folder. IMAGES are files, folders and .txt lists.")
    if path.suffix.lower() == ".txt":
        return _listed(path)
    return [Found(path, path.name)]


def _walk(top: Path, endings: Collection[str] = EXTENSIONS) -> Iterator[Found]:
    for root, folders, files in os.walk(top):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_natural)
        inside = Path(root).relative_to(top)
        for name in sorted(files, key=_natural):
            if Path(name).suffix.lower() in endings and not name.startswith("."):
                folder = inside.name if inside.parts else ""
                yield Found(Path(root) / name, (inside / name).as_posix(), folder)


def _listed(path: Path) -> list[Found]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: can't be read as a list of images, one path a line ({error}).") from error
    found = []
    for line in lines:
        name, _, label = line.strip().partition("\t")
        if name and not name.startswith("#"):
            # relative to the list; the name shown never leaves the folder that the list is in
            shown = Path(name).name if Path(name).is_absolute() or ".." in Path(name).parts else Path(name).as_posix()
            found.append(Found(path.parent / name, shown, label=label.strip()))
    return found


def _labels(
    found: Sequence[Found], classes: Sequence[str], folders_are_labels: bool
) -> Callable[[Found], Label | None]:
    folders = sorted({folder for each in found for folder in _folders(each)}, key=_natural)
    index_of = {folder: class_called(folder, classes) for folder in folders}
    innermost = sorted({each.folder for each in found if each.folder}, key=_natural)
    in_order = (
        folders_are_labels and len(innermost) == len(classes) and not any(i is not None for i in index_of.values())
    )
    if in_order:
        index_of = {folder: index for index, folder in enumerate(innermost)}

    def label(each: Found) -> Label | None:
        if each.label:
            index = class_called(each.label, classes)
            if index is None and each.label.isdigit() and int(each.label) < len(classes):
                index = int(each.label)
            return Label(_readable(each.label if index is None else classes[index]), index)
        known = (index_of[folder] for folder in reversed(_folders(each)) if index_of.get(folder) is not None)
        index = next(known, None)
        if index is not None and not in_order:
            return Label(classes[index], index)
        return Label(_readable(each.folder), index) if folders_are_labels and each.folder else None

    return label


def _folders(each: Found) -> tuple[str, ...]:
    """The folders that an image lies in, below the one that was given."""
    return Path(each.name).parts[:-1] if each.folder else ()


def _mask_opener(file: FileContent, label: Label | None) -> Callable[[], Image.Image]:
    if file.path.suffix.lower() == BOXES:
        return partial(read_boxes, file.path, label.name if label else "")
    return _opener(file)


def _opener(file: FileContent) -> Callable[[], Image.Image]:
    def read() -> Image.Image:
        try:
            status = file.path.stat()
        except OSError as error:
            raise UnusablePicture("there is no such file") from error
        if not S_ISREG(status.st_mode):
            raise UnusablePicture("not a regular file")
        if status.st_size == 0:
            raise UnusablePicture("an empty file")
        try:
            source = file.open()
        except OSError:
            source = file.path  # the decoder will say why
        return read_picture(source)

    return read


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts dog2 before dog10."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts if part] + [
        (2, name)
    ]


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower().encode("ascii", "ignore").decode())
    return plain.strip("-")[:40].strip("-")


def _readable(name: str) -> str:
    """Without the halves of characters that a file system may hand out, which no page can carry."""
    return name.encode("utf-8", "replace").decode("utf-8")
