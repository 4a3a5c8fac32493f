"""A reader: images that are stored as NumPy arrays, H×W or H×W×C, in .npy files."""

from pathlib import Path

import numpy as np

from cnnvis_report.plugin import Pixels, Source, UnusablePicture, reader

MOST = 60_000_000  # values
MAGIC = b"\x93NUMPY"


@reader(title="a NumPy array", endings=[".npy"], recognizes=lambda head: head.startswith(MAGIC), deep=True)
def numpy_array(source: Source, page: int) -> Pixels:
    """Read an array; the values' range is found, or given by --range, as for all images of more than 8 bits."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return numpy_array(file, page)
    source.seek(0)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(source)
    if version not in read_header:
        raise UnusablePicture(f"a NumPy array of version {version}")
    shape, _, _ = read_header[version](source)
    if np.prod(shape, dtype=float) > MOST:
        raise UnusablePicture(
            f"an array of {'×'.join(map(str, shape))}; at most {MOST // 10**6} million values are read"
        )
    source.seek(0)
    return Pixels.of_array(np.load(source, allow_pickle=False))
