"""MNIST, Fashion-MNIST, KMNIST and others in the form of MNIST: IDX files, compressed by gzip or not."""

import struct
from pathlib import Path

import numpy as np

from cnnvis_report.data.archives.byte_source import ByteSource, LocalBytes
from cnnvis_report.data.archives.tar_index import unpacked
from cnnvis_report.data.arrays.parts import ArrayPart, Labels, images_of_parts
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest

BYTE = np.dtype(np.uint8)
LABELS, GRAY, COLOR = b"\0\0\x08\1", b"\0\0\x08\3", b"\0\0\x08\4"  # bytes of one, three and four sides
MOST_LABELS = 1 << 26


def is_idx(path: Path) -> bool:
    """Whether a file begins as one of images does, compressed or not."""
    try:
        return path.is_file() and unpacked(LocalBytes(path)).read_at(0, 4) in (GRAY, COLOR)
    except (OSError, UnusablePicture):
        return False


def idx_files(folder: Path) -> list[Path]:
    """The files of images in a folder; of one that is there compressed and not, the second."""
    paths = [path for path in sorted(folder.iterdir()) if "images" in path.name and "ubyte" in path.name]
    names = {path.name for path in paths}
    return [path for path in paths if is_idx(path) and path.name.removesuffix(".gz") not in names - {path.name}]


def split_of(path: Path) -> str:
    """The part of the set that a file is of, by its name."""
    name = path.name.lower()
    return "test" if "t10k" in name or "test" in name else "train" if "train" in name else ""


def idx_part(path: Path) -> tuple[ArrayPart, str]:
    """The images of a file, and the name of the file that labels them; empty where there is none.

    Raises:
        BadRequest: it is damaged.
    """
    source = unpacked(LocalBytes(path))
    try:
        head = source.read_at(0, 20)
        sides = struct.unpack(f">{head[3]}I", head[4 : 4 + 4 * head[3]])
        stride, offset = int(np.prod(sides[1:], dtype=np.int64)), 4 + 4 * head[3]
        if not stride or not sides[0] or source.size < offset + sides[0] * stride:
            raise BadRequest(f"{path}: cut short: it has less than {'×'.join(map(str, sides))} bytes.")
        labels_path = _labels_path(path)
        labels = _labels(unpacked(LocalBytes(labels_path)), sides[0]) if labels_path is not None else None
    except (OSError, UnusablePicture, struct.error) as error:
        raise BadRequest(f"{path}: can't be read as images of MNIST ({error}).") from error
    part = ArrayPart(source, offset, stride, sides[0], sides[1:], BYTE, labels, split_of(path))
    return part, labels_path.name if labels_path is not None and labels is not None else ""


def _labels_path(path: Path) -> Path | None:
    name = path.name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    others = (name, name.removesuffix(".gz"), f"{name}.gz")
    return next((path.with_name(other) for other in others if path.with_name(other).is_file()), None)


def _labels(source: ByteSource, count: int) -> list[Labels] | None:
    head = source.read_at(0, 8)
    if head[:4] != LABELS or head[4:] != struct.pack(">I", count) or count > MOST_LABELS:
        return None
    values = source.read_at(8, count)
    return [(str(value),) for value in values] if len(values) == count else None


def is_mnist(text: str) -> bool:
    """Whether it is a file of images in the form of MNIST, or a folder of such files."""
    path = Path(text)
    try:
        return bool(idx_files(path)) if path.is_dir() else is_idx(path)
    except OSError:
        return False


@collection(
    title="a set of MNIST's files",
    example="t10k-images-idx3-ubyte.gz",
    matches=is_mnist,
    order=20,
    ways=(ImageWay("MNIST and its kin, IDX, also `.gz`", "MNIST/raw --split test", "the file of labels beside it"),),
    reads=("--split",),
)
def idx_arrays(text: str, selection: Selection) -> FoundImages:
    """The images of MNIST's files, labeled by the files beside them."""
    path = Path(text)
    read = [idx_part(file) for file in (idx_files(path) if path.is_dir() else [path])]
    images = images_of_parts([part for part, _ in read], path.name, selection)
    names = [name for _, name in read if name]
    notices = (*images.notices, *((f"Labels are those in {', '.join(names)}.",) if names else ()))
    return FoundImages(images.files, notices=notices)
