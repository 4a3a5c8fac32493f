"""Arrays as NumPy saves them, in files and archives, looked at without being read."""

import io
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.store.array_files.npz import LONGEST_HEADER, read_header

MAGIC = b"\x93NUMPY"
MOST_VALUES = 1 << 27  # bytes of an array that is read at once, such as labels


@dataclass(frozen=True)
class StoredArray:
    """An array in a source.

    offset: of its values. by_columns: whether the first side changes fastest.
    """

    source: ByteSource
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return prod(self.shape) * self.dtype.itemsize

    def values(self) -> npt.NDArray[Any] | None:
        """All of them; None where they are Python objects, too many, or cut short."""
        if self.dtype.hasobject or self.size > MOST_VALUES:
            return None
        content = self.source.read_at(self.offset, self.size)
        if len(content) < self.size:
            return None
        return np.frombuffer(content, self.dtype).reshape(self.shape, order="F" if self.by_columns else "C")


def stored_array(source: ByteSource) -> StoredArray | None:
    """The array that begins a source; None where none does."""
    try:
        head = source.read_at(0, LONGEST_HEADER + 12)
        file = io.BytesIO(head)
        shape, by_columns, dtype = read_header(file)
    except Exception:  # a damaged header raises whatever comes
        return None
    if not all(type(side) is int and side >= 0 for side in shape) or dtype.names is not None:
        return None
    return StoredArray(source, file.tell(), shape, dtype, by_columns)
