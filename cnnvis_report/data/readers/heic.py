"""HEIC and HEIF pictures, as telephones write them."""

import numpy as np

from cnnvis_report.data.formats import HEIC, from_start
from cnnvis_report.data.pixels import Pixels, UnusablePicture, check_size
from cnnvis_report.data.reader import Source, reader


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is HEIF, and not AVIF, which has the same container."""
    brands = head[8 : min(int.from_bytes(head[:4], "big"), 256)]
    return head[4:8] == b"ftyp" and head[8:12] in HEIC and b"avif" not in brands


@reader(
    title="a HEIC picture",
    endings={".heic", ".heif", ".heics", ".heifs", ".hif"},
    recognizes=is_heic,
    requires=("pillow_heif",),
    install="cnnvis-report[heic]",
)
def heic(source: Source, page: int) -> Pixels:
    """Decode the primary picture of a file; its container, not its EXIF data, says how it is turned upright.

    Raises:
        UnusablePicture: it has too many pixels.
    """
    from pillow_heif import open_heif

    if page:
        raise UnusablePicture("its primary picture alone is read")
    file = open_heif(from_start(source), convert_hdr_to_8bit=False)
    picture = file[file.primary_index]
    check_size(picture.size, deep=";16" in picture.mode)
    note = f"of its {len(file)} pictures the primary one is read" if len(file) > 1 else ""
    return Pixels.of_array(np.asarray(picture), note)
