"""Pascal VOC's folders: images, annotations of objects, lists of parts, and segmentations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePath

import numpy as np
from PIL import Image

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.discovery.folders import Search
from cnnvis_report.data.image_file import FoundImages, ImageFile, several
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.masks.bounding_boxes import read_box_file
from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture
from cnnvis_report.data.plain_names import plain
from cnnvis_report.data.split_names import check_split, in_split
from cnnvis_report.data.tables.text_tables import read_text

IMAGES, OBJECTS, SPLITS, SEGMENTATION = "JPEGImages", "Annotations", "ImageSets/Main", "SegmentationClass"
# in the order of the values of SegmentationClass, from 1 on; 0 is the background
CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
VOID = 255


def root_of(text: str) -> Path | None:
    """The folder with images and annotations: the one that was given, or the only such one directly below it."""
    folder = Path(text)
    try:
        if not folder.is_dir():
            return None
        for top in ([folder], sorted(folder.glob("VOC*"))):
            roots = [root for root in top if (root / IMAGES).is_dir() and (root / OBJECTS).is_dir()]
            if len(roots) == 1:
                return roots[0]
    except OSError:
        return None
    return None


@collection(
    title="a folder of Pascal VOC",
    example="VOC2012/",
    matches=lambda text: root_of(text) is not None,
    order=20,
    reads=("--split",),
    ways=(
        ImageWay(
            "Pascal VOC's folders (`JPEGImages`, `Annotations`)",
            "VOCdevkit/VOC2012 --split val",
            "names of objects; masks from `SegmentationClass`, or else boxes",
        ),
    ),
)
def pascal_voc(text: str, selection: Selection) -> FoundImages:
    """The images of a part of Pascal VOC, or of all, with the objects in them."""
    root = root_of(text) or Path(text)
    search = Search()
    images = list(search.walk(root / IMAGES))
    notices = search.notices()
    if selection.split:
        wanted = _split(root, text, selection.split)
        images = [image for image in images if PurePath(image.name).stem in wanted]
    files, unread = [], []
    for image in images:
        try:
            files.append(_labeled(image, root))
        except UnusablePicture:
            unread.append(image.name)
            files.append(image)
    if unread:
        notices.append(f"{OBJECTS}: those of {len(unread):,} images can't be read: {several(unread)}.")
    return FoundImages(tuple(files), tuple(search.skipped), tuple(notices))


def _split(root: Path, text: str, split: str) -> set[str]:
    """The stems of a part's images.

    Raises:
        BadRequest: there is no such part, or its list can't be read.
    """
    lists = sorted(path for path in (root / SPLITS).glob("*.txt") if "_" not in path.stem)
    check_split(text, split, [path.stem for path in lists])
    path = next(path for path in lists if in_split(path.stem, split))
    return {line.split()[0] for line in read_text(path, "a list of images").splitlines() if line.strip()}


def _labeled(image: ImageFile, root: Path) -> ImageFile:
    """The image with the names of its objects, that of the largest area first, and its mask."""
    stem = PurePath(image.name).stem
    path = root / OBJECTS / f"{stem}.xml"
    if not path.exists():
        return image
    totals: dict[str, float] = {}
    for name, (left, top, right, bottom) in read_box_file(path).objects:
        totals[name] = totals.get(name, 0.0) + max(right - left, 0.0) * max(bottom - top, 0.0)
    labels = tuple(sorted(filter(None, totals), key=lambda name: -totals[name]))
    segmentation = root / SEGMENTATION / f"{stem}.png"
    mask: Path | Annotation | None = Segmentation(segmentation) if segmentation.is_file() else path
    return ImageFile(image.path, image.name, labels=labels, bare=not labels, mask=mask if labels else None)


@dataclass(frozen=True)
class Segmentation(Annotation):
    """A picture of class indices, as in SegmentationClass."""

    path: Path

    @cached_property
    def digest(self) -> str:
        """Of its bytes."""
        return sha256(self.path.read_bytes()).hexdigest()

    def draw(self, labels: Sequence[str]) -> Image.Image:
        """The pixels of the first of these labels that is there, or of all objects."""
        try:
            with Image.open(self.path, formats=("PNG",)) as image:
                if image.mode not in ("P", "L") or image.width * image.height > MOST_PIXELS:
                    raise UnusablePicture("its segmentation is no picture of class indices")
                indices = np.asarray(image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UnusablePicture(f"its segmentation can't be read ({error})") from error
        objects = (indices > 0) & (indices != VOID)
        for label in labels:
            index = next((number for number, name in enumerate(CLASSES, start=1) if plain(name) == plain(label)), None)
            if index is not None and (indices == index).any():
                objects = indices == index
                break
        if not objects.any():
            raise UnusablePicture("its segmentation has no object")
        return Image.fromarray(objects.astype(np.uint8) * 255)
