"""An image set: found first, decoded one by one as the run comes to them."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG

from PIL import Image

from cnnvis_report.errors import BadRequest
from cnnvis_report.loading.boxes import read_boxes
from cnnvis_report.loading.class_names import Classes
from cnnvis_report.loading.discovery import find_images
from cnnvis_report.loading.formats import EXTENSIONS
from cnnvis_report.loading.found import Found, FoundImages, readable
from cnnvis_report.loading.labels import label_images
from cnnvis_report.loading.limits import Limit, chosen
from cnnvis_report.loading.pictures import UnusablePicture, read_picture
from cnnvis_report.loading.walk import Search
from cnnvis_report.preprocessing import NO_LEVELS, Levels
from cnnvis_report.records import Label, Skipped

__all__ = ["Found", "FoundImages", "ImageSet", "Item", "Limit", "find_images", "labelled"]

HASHED_BYTES = 1 << 16
BOXES = ".xml"


@dataclass(frozen=True)
class Item:
    """One image of the set.

    id: unique, of letters, digits and hyphens only: names of files and anchors are made of it.
    name: as the report shows it, relative to the folder that was given; a stranger's text.
    open: decodes it; raises UnusablePicture. fingerprint: changes when the content does.
    labels: what it is said to show; several where the classes don't exclude each other.
    mask: where what decides the class is, at the picture's own size, if anybody knows.
    """

    id: str
    name: str
    open: Callable[[], Image.Image]
    fingerprint: str
    labels: tuple[Label, ...] = ()
    mask: Callable[[], Image.Image] | None = None

    @property
    def label(self) -> Label | None:
        """The first of its labels; None where there is none."""
        return self.labels[0] if self.labels else None

    @property
    def content(self) -> str:
        """The fingerprint of the picture alone, whatever mask goes with it."""
        return self.fingerprint.partition("+")[0]


@dataclass(frozen=True)
class ImageSet:
    """Images in order.

    notices: what a user has to know of how they were found, a sentence each. skipped: files that look like images and
    aren't read, whatever the limit.
    """

    items: tuple[Item, ...]
    notices: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


def labelled(
    found: FoundImages,
    classes: Sequence[str],
    *,
    labels: str = "names",
    aliases: Sequence[Sequence[str]] = (),
    masks: Path | None = None,
    limit: Limit | None = None,
    levels: Levels = NO_LEVELS,
) -> ImageSet:
    """The image set, each image with its labels where they are known.

    Args:
        found: as `find_images` gives them.
        classes: the network's class names.
        labels: which folders are labels, as `label_images` says.
        aliases: what else the classes are called, class by class.
        masks: a folder of masks or of annotations in the form of Pascal VOC, each called like its image, in the same
            sub-folder, with any ending.
        limit: how many images, and which; None for all.
        levels: how pictures of more than 8 bits are read.

    Raises:
        BadRequest: there is no such folder of masks, or none in it belongs to an image.
    """
    given = label_images(found, Classes(classes, aliases), labels)
    places, said = chosen(found.files, given.labels, limit)
    files = [found[place] for place in places]
    mask_of = {each: each.mask for each in files if each.mask is not None} if masks is None else _masks(files, masks)
    digits = len(str(len(files)))
    items = []
    for number, (place, each) in enumerate(zip(places, files, strict=True), start=1):
        own = given.labels[place]
        page = f"-page-{each.page}" if each.page else ""
        items.append(
            Item(
                f"{number:0{digits}d}-{_slug(each.name)}".strip("-"),
                readable(each.name),
                _opener(each.path, each.page, levels),
                _fingerprint(each.path) + page + (f"+{_fingerprint(mask_of[each])}" if each in mask_of else ""),
                own,
                _mask_opener(mask_of[each], own) if each in mask_of else None,
            )
        )
    return ImageSet(tuple(items), (*found.notices, *said, *given.notices), found.skipped)


def _masks(found: Sequence[Found], folder: Path) -> dict[Found, Path]:
    """The mask of each image that has one."""
    if not folder.is_dir():
        raise BadRequest(f"--masks {folder}: there is no such folder.")
    found_masks = Search().walk(folder, {*EXTENSIONS, BOXES})
    known = {Path(each.name).with_suffix("").as_posix(): each.path for each in found_masks}
    names = {each: Path(each.name).with_suffix("").as_posix() for each in found}
    masks = {each: known[name] for each, name in names.items() if name in known}
    if not masks:
        example = next(iter(names.values()))
        raise BadRequest(
            f"--masks {folder}: none of its {len(known)} masks is called like an image, such as {example}.png."
        )
    return masks


def _mask_opener(path: Path, labels: Sequence[Label]) -> Callable[[], Image.Image]:
    if path.suffix.lower() == BOXES:
        return partial(read_boxes, path, labels[0].name if labels else "")
    return _opener(path)


def _opener(path: Path, page: int = 0, levels: Levels = NO_LEVELS) -> Callable[[], Image.Image]:
    def read() -> Image.Image:
        try:
            status = path.stat()
        except OSError as error:
            raise UnusablePicture("there is no such file") from error
        if not S_ISREG(status.st_mode):
            raise UnusablePicture("not a regular file")
        if status.st_size == 0:
            raise UnusablePicture("an empty file")
        return read_picture(path, page, levels)

    return read


def _fingerprint(path: Path) -> str:
    """Changes with the size and with both ends of the file; reading 10 000 photographs whole would take minutes."""
    try:
        if not path.is_file():
            return "absent"
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            digest = blake2b(file.read(HASHED_BYTES), digest_size=8)
            file.seek(max(HASHED_BYTES, size - HASHED_BYTES))
            digest.update(file.read(HASHED_BYTES))
    except OSError:
        return "unreadable"
    return f"{size}-{digest.hexdigest()}"


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower().encode("ascii", "ignore").decode())
    return plain.strip("-")[:40].strip("-")
