"""An image set: found first, decoded one by one as the run comes to them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cnnvis_report.data.content.content_hash import FileContent
from cnnvis_report.data.content.contents import Contents, Opener
from cnnvis_report.data.decoding.decode import COLOR, open_bands, open_picture
from cnnvis_report.data.discovery.find_images import find_images
from cnnvis_report.data.discovery.garbage_collection import growing
from cnnvis_report.data.image_file import FoundImages, ImageFile, readable
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.data.labels.labeling import label_images
from cnnvis_report.data.limit import Limit, chosen
from cnnvis_report.data.masks.mask_files import Mask, mask_of, masks_in
from cnnvis_report.data.preprocessing.prepare import AnyPicture
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels
from cnnvis_report.data.reader import Source
from cnnvis_report.records.bands import USUAL
from cnnvis_report.records.images import Label
from cnnvis_report.records.run import Skipped

__all__ = ["FoundImages", "ImageFile", "ImageItem", "ImageSet", "Limit", "find_images", "labeled"]


@dataclass(frozen=True, slots=True)
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


@growing()
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
            sub-folder, with any ending; else those of `images`.
        limit: how many images, and which; None for all.
        levels: how pictures of more than 8 bits are read. channels: that the network reads.

    Raises:
        BadRequest: there is no such folder of masks, or none in it belongs to an image.
    """
    labeling = label_images(images, Classes(classes, aliases), labels)
    indices, notices = chosen([image.folder for image in images], labeling.labels, limit)
    files = [images[index] for index in indices]
    masks_of_files = masks_in(masks, files) if masks is not None else [file.mask for file in files]
    contents = Contents()
    decoders = {page: _decoder(page, levels, channels) for page in {file.page for file in files}}
    items = []
    for id, index, file, mask_file in zip(image_ids(files), indices, files, masks_of_files, strict=True):
        image_labels = labeling.labels[index]
        content = contents.of(file)
        mask = mask_of(mask_file, file, image_labels, contents) if mask_file is not None else None
        items.append(
            ImageItem(
                id,
                readable(file.name),
                Opener(content, decoders[file.page]),
                f"page {file.page} " if file.page else "",
                image_labels,
                mask.open if mask is not None else None,
                (content,) if mask is None else (content, mask.content),
                file.bare,
            )
        )
    notices += _of_masks(items)
    of_labels = tuple(labeling.notices)
    return ImageSet(tuple(items), (*images.notices, *notices, *of_labels), images.skipped, of_labels, labeling.order)


def _of_masks(items: Sequence[ImageItem]) -> list[str]:
    """That masks don't say of which of several labels they are."""
    several = sum(item.mask is not None and len(item.labels) > 1 for item in items)
    if not several:
        return []
    have = "1 image with a mask has" if several == 1 else f"{several} images with masks have"
    return [f"{have} several labels: a mask is taken to be of the first, and measures maps of that label alone."]


def _decoder(page: int, levels: Levels, channels: int) -> Callable[[Source, str], AnyPicture]:
    """What makes a picture of a file for a network of so many channels."""
    if channels in USUAL:
        return lambda source, ending: open_picture(source, page, levels, ending)
    return lambda source, ending: open_bands(source, page, levels, ending, channels)


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
    last = name.rpartition("/")[2]  # quicker than a `Path`, where names are thousands
    plain = re.sub(r"[^a-z0-9]+", "-", (last.rpartition(".")[0] or last).lower().encode("ascii", "ignore").decode())
    return plain.strip("-")[:40].strip("-")
