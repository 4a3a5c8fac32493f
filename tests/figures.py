"""How finely the pictures of a report are made: coarsely in the tests, but in those that look at them.

In full the headline figure takes two thirds of the time of a small run, and hundreds of tests make one; to pack the
other pictures as tightly as users get them takes a tenth.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PIL import Image

from cnnvis_report.report.figure import save
from cnnvis_report.report.pictures import thumbnails

FASTEST = {"method": 0}  # of WebP's methods
COARSE = 36  # pixels an inch, one for two points: the layout is that of the full figure, but for rounding
FULL = {name: getattr(save, name) for name in ("PAGE", "DARK_PAGE", "PRINT")}
PACK = "_saved"
PACKED = getattr(thumbnails, PACK)


def draw_coarsely() -> None:
    """Make the figures of all reports from here on coarse, and pack their pictures fast, in this process."""
    for name, style in FULL.items():
        setattr(save, name, replace(style, dpi=COARSE))

    def packed(picture: Image.Image, **options: object) -> bytes:
        content: bytes = PACKED(picture, **options | FASTEST)
        return content

    setattr(thumbnails, PACK, packed)


@contextmanager
def full_figures() -> Iterator[None]:
    """Draw and pack pictures as users get them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, style in FULL.items():
            patch.setattr(save, name, style)
        patch.setattr(thumbnails, PACK, PACKED)
        yield
