"""Arrays as NumPy saves them: gray, color, or any number of bands."""

import os
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.arrays.stored import MAGIC
from cnnvis_report.data.formats import opened
from cnnvis_report.data.pixels import MOST_PIXELS, Pixels, UnusablePicture
from cnnvis_report.data.reader import Source, reader
from cnnvis_report.store.array_files.npz import Header, read_header

KINDS = {"O": "Python objects, which may run code", "V": "records", "c": "complex numbers", "M": "dates"}


def is_deep(source: Source) -> bool:
    """Whether the array of a file has more than 8 bits a value."""
    with opened(source) as file:
        return _header(file)[2].itemsize > 1


@reader(title="a NumPy array", endings={".npy"}, recognizes=lambda head: head.startswith(MAGIC), deep=is_deep)
def npy_array(source: Source, page: int) -> Pixels:
    """Decode an array H×W, H×W×C or C×H×W of numbers; nothing but numbers is ever read.

    Raises:
        UnusablePicture: it holds something else, or is too large, or cut short.
    """
    if page:
        raise UnusablePicture("an array has one image")
    with opened(source) as file:
        return _picture(_values(file, source if isinstance(source, Path) else None))


def _picture(values: npt.NDArray[Any]) -> Pixels:
    """Gray where the array has two sides, or its third is 1; else what the network makes of its bands."""
    sides = values.shape
    if len(sides) == 4 and sides[0] == 1:  # a batch of one
        values, sides = values[0], sides[1:]
    if len(sides) == 3 and 1 in (sides[0], sides[2]):
        values = values[0] if sides[0] == 1 else values[..., 0]
    if values.ndim not in (2, 3):
        raise UnusablePicture(f"an array of {'×'.join(map(str, sides))}; H×W, H×W×C or C×H×W is read")
    return Pixels.of_array(values) if values.ndim == 2 else Pixels.of_stack(values)


def _values(file: BinaryIO, path: Path | None) -> npt.NDArray[Any]:
    """The array, which stays in its file or its bytes until a part of it is asked for."""
    shape, by_columns, dtype = _header(file)
    start, size = file.tell(), file.seek(0, os.SEEK_END)
    values = prod(shape)
    sides = "×".join(map(str, shape)) or "no side"
    if not values:
        raise UnusablePicture(f"an array of {sides}, which has no pixels")
    if values > MOST_PIXELS:
        raise UnusablePicture(f"an array of {sides}; at most {MOST_PIXELS // 10**6} million values are read")
    if size - start < values * dtype.itemsize:
        raise UnusablePicture(f"cut short: {size - start} bytes of the {values * dtype.itemsize} of {sides} {dtype}")
    order = "F" if by_columns else "C"
    if path is not None:
        flat: npt.NDArray[Any] = np.memmap(path, dtype, "r", start, (values,))
    else:
        assert isinstance(file, BytesIO)
        flat = np.frombuffer(file.getbuffer(), dtype, values, start)
    flat = flat.view(np.uint8) if dtype.kind == "b" else flat
    return flat.reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]


def _header(file: BinaryIO) -> Header:
    """(shape, whether columns come first, kind of number) of an array, without the array."""
    try:
        shape, by_columns, dtype = read_header(file)
    except Exception as error:  # a damaged header raises whatever comes
        raise UnusablePicture("its header is damaged, or isn't that of an array of numbers") from error
    if not all(type(side) is int and side >= 0 for side in shape):
        raise UnusablePicture("its header is damaged: a side isn't a whole number")
    if dtype.kind not in "biuf":
        raise UnusablePicture(
            f"it holds {KINDS.get(dtype.kind, str(dtype))}; whole and floating-point numbers are read"
        )
    return shape, by_columns, dtype
