"""Masks of images: files called like them, boxes of Pascal VOC, and what annotations draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from cnnvis_report.data.content.content_hash import FileContent
from cnnvis_report.data.content.contents import Contents, Opener
from cnnvis_report.data.decoding.decode import open_mask
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.discovery.folders import Search
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.masks.bounding_boxes import read_boxes
from cnnvis_report.data.reader import endings
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import Label

BOXES = ".xml"
Mask = Image.Image | UprightPicture


@dataclass(frozen=True)
class MaskSource:
    """What draws the mask of one image, and what tells whether it has changed."""

    open: Callable[[], Mask]
    content: FileContent


class _Drawn(FileContent):
    """What an annotation says, which was read with its file; it can't change while the run goes on."""

    __slots__ = ()

    def __init__(self, annotation: Annotation, name: Path) -> None:
        super().__init__(name)
        self._digest = annotation.digest

    def check(self) -> None:
        """Nothing: all of it is in memory."""


def masks_in(folder: Path, images: Sequence[ImageFile]) -> list[Path | None]:
    """The mask of each image in a folder of masks; None where there is none.

    Raises:
        BadRequest: there is no such folder, or none in it belongs to an image.
    """
    if not folder.is_dir():
        raise BadRequest(f"--masks {folder}: there is no such folder.")
    files = Search().walk(folder, {*endings(), BOXES})
    known = {Path(mask.name).with_suffix("").as_posix(): mask.path for mask in files}
    names = [Path(image.name).with_suffix("").as_posix() for image in images]
    masks = [known.get(name) for name in names]
    if not any(masks):
        raise BadRequest(
            f"--masks {folder}: none of its {len(known)} masks is called like an image, such as {names[0]}.png."
        )
    return masks


def mask_of(mask: Path | Annotation, image: ImageFile, labels: Sequence[Label], contents: Contents) -> MaskSource:
    """What draws the mask of an image with these labels."""
    if isinstance(mask, Annotation):
        names = [label.name for label in labels] + list(image.labels)
        return MaskSource(partial(mask.draw, names), _Drawn(mask, image.path))
    content = contents.of_file(mask)
    if mask.suffix.lower() == BOXES:
        return MaskSource(partial(read_boxes, mask, labels[0].name if labels else ""), content)
    return MaskSource(Opener(content, open_mask), content)
