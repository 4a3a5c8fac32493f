"""An image set: found first, decoded one by one as the run comes to them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

from PIL import Image

from cnnvis_report.data.bounding_boxes import read_boxes
from cnnvis_report.data.class_names import Classes
from cnnvis_report.data.content_hash import FileContent, Replaced
from cnnvis_report.data.decode import COLOR, AnyPicture, open_bands, open_picture
from cnnvis_report.data.discovery import find_images
from cnnvis_report.data.folders import Search
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages, ImageFile, readable
from cnnvis_report.data.labels import label_images
from cnnvis_report.data.limit import Limit, chosen
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing import NO_LEVELS, Levels
from cnnvis_report.data.reader import Source, endings
from cnnvis_report.data.upright_picture import UprightPicture
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.bands import USUAL
from cnnvis_report.records.images import Label
from cnnvis_report.records.run import Skipped

__all__ = ["FoundImages", "ImageFile", "ImageItem", "ImageSet", "Limit", "find_images", "labeled"]

BOXES = ".xml"
Mask = Image.Image | UprightPicture
P = TypeVar("P")


@dataclass(frozen=True)
class ImageItem:
    """One image of the set.

    id: unique, of letters, digits and hyphens only: names of files and anchors are made of it.
    name: as the report shows it, relative to the folder that was given; a stranger's text.
    open: decodes it, or gives it ready for the network; raises UnusablePicture.
    stamp: what tells its content, where that isn't files alone.
    labels: what it is said to show; several where the classes don't exclude each other.
    mask: where what decides the class is, at the picture's own size, if anybody knows.
    files: that hold it: the picture's, and that of its mask.
    bare: whether a list says that it bears none of its labels, which is an answer where the classes don't exclude each
    other.
    """

    id: str
    name: str
    open: Callable[[], AnyPicture]
    stamp: str
    labels: tuple[Label, ...] = ()
    mask: Callable[[], Mask] | None = None
    files: tuple[FileContent, ...] = ()
    bare: bool = False

    @property
    def label(self) -> Label | None:
        """The first of its labels; None where there is none."""
        return self.labels[0] if self.labels else None

    @property
    def fingerprint(self) -> str:
        """Changes with whatever was last read of its files, or, where nothing was, with what they hold now."""
        return self.stamp + "+".join(file.digest() for file in self.files)

    @property
    def content(self) -> str:
        """The fingerprint of the picture alone, whatever mask goes with it."""
        return self.fingerprint.partition("+")[0]


@dataclass(frozen=True)
class ImageSet:
    """Images in order.

    notices: what a user has to know of how they were found, a sentence each. skipped: files that look like images and
    aren't read, whatever the limit. of_labels: those of the notices that are about labels. order: the
    folders that stand for the classes in their order, where they do.
    """

    items: tuple[ImageItem, ...]
    notices: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    of_labels: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ImageItem]:
        return iter(self.items)


def labeled(
    images: FoundImages,
    classes: Sequence[str],
    *,
    labels: str = "names",
    aliases: Sequence[Sequence[str]] = (),
    masks: Path | None = None,
    limit: Limit | None = None,
    levels: Levels = NO_LEVELS,
    channels: int = COLOR,
) -> ImageSet:
    """The image set, each image with its labels where they are known.

    Args:
        images: as `find_images` gives them.
        classes: the network's class names.
        labels: which folders are labels, as `label_images` says.
        aliases: what else the classes are called, class by class.
        masks: a folder of masks or of annotations in the form of Pascal VOC, each called like its image, in the same
            sub-folder, with any ending.
        limit: how many images, and which; None for all.
        levels: how pictures of more than 8 bits are read. channels: that the network reads.

    Raises:
        BadRequest: there is no such folder of masks, or none in it belongs to an image.
    """
    labelling = label_images(images, Classes(classes, aliases), labels)
    indices, notices = chosen([image.folder for image in images], labelling.labels, limit)
    files = [images[index] for index in indices]
    mask_of = {file: file.mask for file in files if file.mask is not None} if masks is None else _masks(files, masks)
    contents = {path: FileContent(path) for path in {*(file.path for file in files), *mask_of.values()}}
    items = []
    for id, index, file in zip(image_ids(files), indices, files, strict=True):
        image_labels = labelling.labels[index]
        mask = contents[mask_of[file]] if file in mask_of else None
        items.append(
            ImageItem(
                id,
                readable(file.name),
                _opener(contents[file.path], _decoder(file.page, levels, channels)),
                f"page {file.page} " if file.page else "",
                image_labels,
                _mask_opener(mask, image_labels) if mask is not None else None,
                tuple(filter(None, (contents[file.path], mask))),
                file.bare,
            )
        )
    notices += _of_masks(items)
    of_labels = tuple(labelling.notices)
    return ImageSet(tuple(items), (*images.notices, *notices, *of_labels), images.skipped, of_labels, labelling.order)


def _masks(images: Sequence[ImageFile], folder: Path) -> dict[ImageFile, Path]:
    """The mask of each image that has one."""
    if not folder.is_dir():
        raise BadRequest(f"--masks {folder}: there is no such folder.")
    found_masks = Search().walk(folder, {*endings(), BOXES})
    known = {Path(mask.name).with_suffix("").as_posix(): mask.path for mask in found_masks}
    names = {image: Path(image.name).with_suffix("").as_posix() for image in images}
    masks = {image: known[name] for image, name in names.items() if name in known}
    if not masks:
        example = next(iter(names.values()))
        raise BadRequest(
            f"--masks {folder}: none of its {len(known)} masks is called like an image, such as {example}.png."
        )
    return masks


def _of_masks(items: Sequence[ImageItem]) -> list[str]:
    """That masks don't say of which of several labels they are."""
    several = sum(item.mask is not None and len(item.labels) > 1 for item in items)
    if not several:
        return []
    have = "1 image with a mask has" if several == 1 else f"{several} images with masks have"
    return [f"{have} several labels: a mask is taken to be of the first, and measures maps of that label alone."]


def _mask_opener(file: FileContent, labels: Sequence[Label]) -> Callable[[], Mask]:
    if file.path.suffix.lower() == BOXES:
        return partial(read_boxes, file.path, labels[0].name if labels else "")
    return _opener(file, lambda source, ending: open_picture(source, ending=ending))


def _decoder(page: int, levels: Levels, channels: int) -> Callable[[Source, str], AnyPicture]:
    """What makes a picture of a file for a network of so many channels."""
    if channels in USUAL:
        return lambda source, ending: open_picture(source, page, levels, ending)
    return lambda source, ending: open_bands(source, page, levels, ending, channels)


def _opener(file: FileContent, decode: Callable[[Source, str], P]) -> Callable[[], P]:
    """What decodes a file's content when it is needed, and says why where it can't."""

    def read() -> P:
        try:
            status = file.path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UnusablePicture("there is no such file") from error
        except OSError as error:  # such as a folder on the way that may not be looked into
            raise UnusablePicture(f"it can't be looked at ({error.strerror})") from error
        if not S_ISREG(status.st_mode):
            raise UnusablePicture("not a regular file")
        if status.st_size == 0:
            raise UnusablePicture("an empty file")
        try:
            source = file.open()
        except Replaced as error:
            raise UnusablePicture(str(error)) from error
        except OSError:
            source = file.path  # the decoder will say why
        picture = decode(source, ending(file.path))
        if source is file.path:  # it may have been replaced between its hash and its pixels
            try:
                file.check()
            except Replaced as error:
                raise UnusablePicture(str(error)) from error
        return picture

    return read


def image_ids(files: Sequence[ImageFile]) -> list[str]:
    """What the images are called in addresses and file names: by their own names, whatever else is in the set.

    So an image keeps its address when others are added, left out, or given in another order. Where several files are
    shown by one name, the order of their paths tells them apart.
    """
    alike: dict[tuple[str, int], list[int]] = {}
    for index, file in enumerate(files):
        alike.setdefault((file.name, file.page), []).append(index)
    ids = [""] * len(files)
    for (name, page), indices in alike.items():
        for number, index in enumerate(sorted(indices, key=lambda index: str(files[index].path))):
            identity = f"{name}\n{page}\n{number}".encode("utf-8", "replace")
            ids[index] = f"{_slug(name)}-{sha256(identity).hexdigest()[:10]}".strip("-")
    return ids


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower().encode("ascii", "ignore").decode())
    return plain.strip("-")[:40].strip("-")
