"""Boxes around what decides the class, as masks: annotations in the form of Pascal VOC, which ImageNet's have too."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture

LARGEST_FILE = 1 << 20  # bytes; an annotation has some hundred
SIDES = ("xmin", "ymin", "xmax", "ymax")


Sides = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxFile:
    """What an annotation says: the image's width and height, and the name and the sides of each object."""

    size: tuple[int, int]
    objects: tuple[tuple[str, Sides], ...]


def read_box_file(path: Path) -> BoxFile:
    """An annotation in the form of Pascal VOC.

    Raises:
        UnusablePicture: it isn't such a file; the message says what is missing.
    """
    try:
        if not path.is_file():  # a pipe would never answer
            raise UnusablePicture("its annotation is no regular file")
        content = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else b""
        if not content or b"<!" in content:  # entities may unfold to gigabytes, and annotations have none
            raise UnusablePicture("its annotation is empty, larger than 1 MB, or declares entities")
        tree = ElementTree.fromstring(content)
        width, height = (int(tree.findtext(f"size/{side}", "0")) for side in ("width", "height"))
        objects = [
            (
                element.findtext("name", "").strip(),
                tuple(float(element.findtext(f"bndbox/{side}", "nan")) for side in SIDES),
            )
            for element in tree.iter("object")
        ]
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise UnusablePicture(f"its annotation can't be read ({error})") from error
    return BoxFile((width, height), tuple((name, (sides[0], sides[1], sides[2], sides[3])) for name, sides in objects))


def read_boxes(path: Path, name: str = "") -> Image.Image:
    """A picture of the annotated image's size, white in the boxes and black elsewhere.

    Args:
        path: the .xml file.
        name: boxes of objects that are called so count alone, if there are any.

    Raises:
        UnusablePicture: it isn't such a file; the message says what is missing.
    """
    annotation = read_box_file(path)
    width, height = annotation.size
    if min(width, height) < 1 or width * height > MOST_PIXELS:
        raise UnusablePicture(f"its annotation gives no usable size ({width}×{height})")
    boxes = [box for called, box in annotation.objects if called == name] or [box for _, box in annotation.objects]
    if any(not (0 <= left <= right <= width and 0 <= top <= bottom <= height) for left, top, right, bottom in boxes):
        raise UnusablePicture("its annotation has a box that isn't within the image")
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in boxes:  # pixels are counted from 1, and the last one belongs to the box
        draw.rectangle((max(left - 1, 0), max(top - 1, 0), right - 1, bottom - 1), fill=255)
    return picture
