"""What tests of tables look at."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.data.collection import Selection, collection_for
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.tables.label_file import with_labels_of

CLASSES = ("cat", "dog", "bird")
Indices = dict[str, list[int | None]]


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def opened(path: Path, split: str = "", columns: Sequence[str] = ()) -> FoundImages:
    """The images of a table, a folder or an annotation file, as the command finds them."""
    return find_images([path], selection=Selection(split, tuple(columns)))


def by_file(images: Path, labels: Path, split: str = "", columns: Sequence[str] = ()) -> FoundImages:
    """Images with the labels of a file, as --labels gives them."""
    return with_labels_of(find_images([images]), labels, Selection(split, tuple(columns)))


def indices(images: FoundImages, classes: Sequence[str] = CLASSES) -> Indices:
    return {item.name: [label.index for label in item.labels] for item in labeled(images, classes)}


def notices(images: FoundImages, classes: Sequence[str] = CLASSES) -> str:
    return " ".join(labeled(images, classes).notices)


def opener_of(path: Path) -> str:
    holder = collection_for(str(path))
    return holder.name if holder is not None else ""
