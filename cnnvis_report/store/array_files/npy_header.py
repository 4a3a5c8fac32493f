"""The heads of arrays as NumPy writes them, read as a stranger's."""

from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

LONGEST_HEADER = 4096  # bytes
READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]

_parsing = Lock()  # before Python 3.11.8 and 3.12.2, two threads that parse at once may get a SystemError (gh-106905)


def read_header(file: BinaryIO) -> Header:
    """The shape, whether columns come first, and the kind of number; whatever NumPy raises of a damaged header.

    Raises:
        ValueError: among others; it is of a version that no array of numbers needs.
    """
    version = npy.read_magic(file)
    if version not in READ_HEADER:
        raise ValueError(f"an array of version {'.'.join(map(str, version))}")
    with _parsing:
        return READ_HEADER[version](file, max_header_size=LONGEST_HEADER)
