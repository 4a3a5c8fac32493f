"""A decoded picture in mode RGB or L that is made of its stored pixels a few rows at a time."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cnnvis_report.data.pixels import Pixels, Values, strips
from cnnvis_report.data.preprocessing.byte_scale import ByteScale, byte_scale
from cnnvis_report.data.preprocessing.preprocessing import Levels

NOTE, READING = "cnnvis-report note", "cnnvis-report reading"


@dataclass(frozen=True)
class UprightPicture:
    """Transparent places show white, more than 8 bits are 8, and only the rows that are asked for are made so.

    mode: L or RGB. scale: which values become 0 and 255, where the pixels have more than 8 bits.
    """

    pixels: Pixels
    mode: str
    scale: ByteScale | None = None

    @classmethod
    def of(cls, pixels: Pixels, levels: Levels) -> "UprightPicture":
        """The picture that pixels show.

        Args:
            levels: how more than 8 bits are read.

        Raises:
            UnusablePicture: it has values that aren't finite.
        """
        scale = byte_scale(pixels, levels) if pixels.deep else None
        return cls(pixels, _rows(pixels, scale, 0, 1).mode, scale)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.size

    @property
    def note(self) -> str:
        """What a user has to know of how it was read."""
        return "; ".join(filter(None, (self.pixels.note, self.scale.note if self.scale else "")))

    @property
    def reading(self) -> str:
        """What of the file it is, and which values are black and white, for the image's page."""
        return "; ".join(filter(None, (self.pixels.reading, self.scale.reading if self.scale else "")))

    def rows(self, top: int, bottom: int) -> Image.Image:
        """The rows from `top` to before `bottom`."""
        rows = _rows(self.pixels, self.scale, top, bottom)
        return rows if rows.mode == self.mode else rows.convert(self.mode)

    def convert(self, mode: str) -> "UprightPicture":
        """The same in another mode."""
        return UprightPicture(self.pixels, mode, self.scale)

    def resize_rows(
        self, first: int, last: int, width: int, filter: Image.Resampling, box: tuple[float, float] | None = None
    ) -> Image.Image:
        """The rows from `first` to before `last` at another width: what Pillow does first where it resizes a picture.

        Args:
            box: from where to where they are taken, in pixels of the picture; None for all of it.
        """
        left, right = box or (0, self.size[0])
        rows = Image.new(self.mode, (width, last - first))
        for top, bottom in strips(self.size[0], first, last):
            strip = self.rows(top, bottom)
            rows.paste(
                strip.resize((width, bottom - top), filter, box=(left, 0, right, bottom - top)), (0, top - first)
            )
        return rows

    def whole(self) -> Image.Image:
        """The picture as Pillow has it, with note and reading in its `info`."""
        parts = list(self.pixels.strips())
        picture = self.rows(*parts[0]) if len(parts) == 1 else Image.new(self.mode, self.size)
        for top, bottom in parts if len(parts) > 1 else ():
            picture.paste(self.rows(top, bottom), (0, top))
        if self.note:
            picture.info[NOTE] = self.note
        if self.reading:
            picture.info[READING] = self.reading
        return picture


def _rows(pixels: Pixels, scale: ByteScale | None, top: int, bottom: int) -> Image.Image:
    """Rows in mode RGB or L."""
    rows = pixels.rows(top, bottom)
    if isinstance(rows, Image.Image):
        return _on_white(rows)
    assert scale is not None  # deep pixels have one
    shallow = scale.to_bytes(rows)
    clear = _transparent(rows, pixels.transparent)
    if clear is not None:
        shallow[clear] = 255
    return _on_white(Image.fromarray(shallow))


def _on_white(picture: Image.Image) -> Image.Image:
    """Mode RGB or L, with white where something shows through."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        above = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _transparent(values: Values, color: int | tuple[int, ...] | None) -> Values | None:
    """Where the one color lies that a PNG calls transparent; None where it calls none so."""
    if isinstance(color, int) and values.ndim == 2:
        return np.asarray(values == color)
    if isinstance(color, tuple) and values.ndim == 3 and values.shape[2] == len(color):
        return np.asarray((values == np.array(color)).all(axis=2))
    return None
