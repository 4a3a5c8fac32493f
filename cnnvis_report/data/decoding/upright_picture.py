"""A decoded picture in mode RGB or L that is made of its stored pixels a few rows at a time."""

from dataclasses import dataclass

from PIL import Image

from cnnvis_report.data.decoding.deep_band import DeepBand, transparent
from cnnvis_report.data.decoding.row_picture import RowPicture
from cnnvis_report.data.pixels import Pixels
from cnnvis_report.data.preprocessing.byte_scale import ByteScale, byte_scale, without_alpha
from cnnvis_report.data.preprocessing.preprocessing import Levels

NOTE, READING = "cnnvis-report note", "cnnvis-report reading"


@dataclass(frozen=True)
class UprightPicture(RowPicture):
    """Transparent places show white, and only the rows that are asked for are made so.

    Its rows are bytes; of more than 8 bits a channel, `bands` have all.

    mode: L or RGB. scale: which values are black and white, where the pixels have more than 8 bits.
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

    def whole(self) -> Image.Image:
        """The picture as Pillow has it, with note and reading in its `info`."""
        picture = super().whole()
        if self.note:
            picture.info[NOTE] = self.note
        if self.reading:
            picture.info[READING] = self.reading
        return picture

    @property
    def deep(self) -> bool:
        """Whether its pixels have more than 8 bits a channel."""
        return self.scale is not None

    def bands(self, channels: int) -> list[DeepBand]:
        """What each channel of a network of 1 or 3 reads of a deep picture: all bits; of gray all read the same one."""
        assert self.scale is not None  # which others have none of
        colors = without_alpha(self.pixels.band_values(0, 1)).shape[2]
        if channels == 1 or colors == 1:
            return [DeepBand(self.pixels, self.scale)] * channels
        return [DeepBand(self.pixels, self.scale, color) for color in range(channels)]


def _rows(pixels: Pixels, scale: ByteScale | None, top: int, bottom: int) -> Image.Image:
    """Rows in mode RGB or L."""
    rows = pixels.rows(top, bottom)
    if isinstance(rows, Image.Image):
        return _on_white(rows)
    assert scale is not None  # deep pixels have one
    shallow = scale.to_bytes(rows)
    clear = transparent(rows, pixels.transparent)
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
