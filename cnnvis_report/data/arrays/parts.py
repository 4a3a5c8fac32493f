"""Many images of one size in one array: each is an entry of its own, read from where it lies."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.entry import Entry, check_bytes
from cnnvis_report.data.formats import HEAD
from cnnvis_report.data.image_file import FoundImages, ImageFile, several
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.split_names import in_split, no_part
from cnnvis_report.errors import BadRequest

MOST_IMAGES = 2_000_000
Labels = tuple[str, ...]


@dataclass(frozen=True)
class ArrayEntry(Entry):
    """One image of an array, given as a NumPy file of its own."""

    source: ByteSource
    offset: int
    count: int
    header: bytes

    def read(self) -> bytes:
        """The header of an array, and the values."""
        check_bytes(self.count)
        values = self.source.read_at(self.offset, self.count)
        if len(values) < self.count:
            raise UnusablePicture("the array is cut short within it")
        return self.header + values

    def head(self) -> bytes:
        """The header, which tells what it is."""
        return self.header[:HEAD]


@dataclass(frozen=True)
class ArrayPart:
    """Images of one array, or of one part of a set.

    split: what the part is called, such as "train". offset: of the first image, and `stride` bytes from one to the
    next. shape, dtype: of one image. labels: of each image; None where nobody says.
    """

    source: ByteSource
    offset: int
    stride: int
    count: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    labels: Sequence[Labels] | None = None
    split: str = ""

    def files(self, start: int) -> list[ImageFile]:
        """The images, called by their part and their number, from `start`."""
        header, count = array_header(self.shape, self.dtype), int(np.prod(self.shape)) * self.dtype.itemsize
        digits, before = len(str(max(self.count + start - 1, 9999))), f"{self.split}/" if self.split else ""
        files = []
        for number in range(self.count):
            offset = self.offset + number * self.stride
            name = f"{before}{start + number:0{digits}}"
            entry = ArrayEntry(self.source.container, f"{name} {offset}", self.source, offset, count, header)
            labels = self.labels[number] if self.labels is not None else ()
            bare = self.labels is not None and not labels
            files.append(ImageFile(Path(f"{number}.npy"), name, labels=labels, bare=bare, entry=entry))
        return files


def array_header(shape: Sequence[int], dtype: np.dtype[Any]) -> bytes:
    """What NumPy writes before an array."""
    stream = io.BytesIO()
    description = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
    npy.write_array_header_1_0(stream, description)
    return stream.getvalue()


def images_of_parts(
    parts: Sequence[ArrayPart], title: str, selection: Selection, classes: Sequence[str] = ()
) -> FoundImages:
    """The images of a set of arrays, or of the part of it that is wanted.

    Args:
        title: what messages call the set. classes: their names, in the order of the labels.

    Raises:
        BadRequest: there is no such part, or there are too many images.
    """
    splits = list(dict.fromkeys(part.split for part in parts if part.split))
    wanted = [part for part in parts if not selection.split or in_split(part.split, selection.split)]
    if not wanted:
        known = f"its parts are {several(splits)}" if splits else "it has no parts"
        raise no_part(selection.split, splits, f"{title} has none of that name; {known}.")
    if sum(part.count for part in wanted) > MOST_IMAGES:
        raise BadRequest(f"{title}: at most {MOST_IMAGES:,} images of arrays are read.")
    files: list[ImageFile] = []
    next_number: dict[str, int] = {}
    for part in wanted:
        start = next_number.get(part.split, 0)
        files += part.files(start)
        next_number[part.split] = start + part.count
    notices = []
    if len(splits) > 1 and not selection.split:
        notices.append(f"All parts of {title} are taken ({', '.join(splits)}): --split {splits[-1]} takes one.")
    return FoundImages(tuple(files), notices=tuple(notices), classes=tuple(classes))


def labels_of(values: npt.NDArray[Any]) -> list[Labels] | None:
    """The labels of each image: numbers, texts, or a column of 0 and 1 for each class; None where it is none of these.

    Args:
        values: [N], [N, 1] or [N, K].
    """
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == values.astype(np.int64)).all():
        values = values.astype(np.int64)
    if values.ndim == 1 and values.dtype.kind in "iuU":
        return [(str(value),) if str(value).strip() else () for value in values.tolist()]
    if values.ndim == 2 and values.dtype.kind in "biu" and set(np.unique(values).tolist()) <= {0, 1}:
        return [tuple(str(index) for index in np.flatnonzero(row).tolist()) for row in values]
    return None
