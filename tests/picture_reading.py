"""Pictures read as a run reads them, whole, and the values that their files store."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.formats import ending, head_of
from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.data.preprocessing.geometry import whole_picture
from cnnvis_report.data.reader import Source, reader_for


def read_picture(source: Source, *args: Any, **options: Any) -> Image.Image:
    """The picture that `open_picture` opens, whole whatever its size."""
    return whole_picture(open_picture(source, *args, **options))


def opened_bytes(item: ImageItem) -> npt.NDArray[np.uint8]:
    """What an item of a set opens, whole, in 8 bits a channel."""
    picture = item.open()
    assert isinstance(picture, Image.Image | UprightPicture)
    return np.asarray(whole_picture(picture))


def stored_values(path: Path) -> npt.NDArray[np.generic] | None:
    """The values of the first page as its reader gives them; None where they have 8 bits."""
    pixels = reader_for(head_of(path), ending(path)).read(path, 0)
    return np.asarray(pixels.rows(0, pixels.size[1])) if pixels.deep else None
