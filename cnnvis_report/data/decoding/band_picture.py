"""A picture of any number of bands, made a band at a time, without rounding to 8 bits."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cnnvis_report.data.pixels import MOST_PIXELS, Pixels, UnusablePicture
from cnnvis_report.data.preprocessing.byte_scale import ByteScale, byte_scale, finite, spread_of
from cnnvis_report.data.preprocessing.preprocessing import Levels

AS_IT_IS = ByteScale(0.0, 1.0)
BYTES = ByteScale(0.0, 255.0)


@dataclass(frozen=True)
class BandPicture:
    """Numbers of which `scale` says the values that become 0 and 1; values beyond them are cut where `cut`.

    Whole numbers from 0 are read by their bits, or by a range that is given, as those of gray and color pictures are;
    others, without a range, as they are: the network may have been trained on reflectances, heights or temperatures.
    """

    pixels: Pixels
    scale: ByteScale
    cut: bool

    @classmethod
    def of(cls, pixels: Pixels, levels: Levels, channels: int) -> "BandPicture":
        """The picture that a network of so many channels reads.

        Raises:
            UnusablePicture: it has another number of bands, too many values, or some that aren't finite.
        """
        pixels = pixels.laid_out(channels)
        if pixels.bands != channels:
            has = "1 band" if pixels.bands == 1 else f"{pixels.bands} bands"
            raise UnusablePicture(f"it has {has}, and the network reads {channels}")
        width, height = pixels.size
        if width * height * channels > MOST_PIXELS:
            most = f"at most {MOST_PIXELS // 10**6} million values are read"
            raise UnusablePicture(f"{width}×{height} pixels of {channels} bands; {most}")
        if not pixels.deep:
            return cls(pixels, BYTES, True)
        spread = spread_of(pixels, alpha=False)
        if levels.range is None and levels.percentiles is None and spread.bits is None:
            return cls(pixels, AS_IT_IS, False)
        return cls(pixels, byte_scale(pixels, levels, alpha=False), True)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.size

    @property
    def note(self) -> str:
        """What a user has to know of how it was read."""
        return "; ".join(filter(None, (self.pixels.note, self.scale.note)))

    @property
    def reading(self) -> str:
        """Which values are 0 and 1 for the network, for the image's page."""
        if not self.pixels.deep:
            return ""
        return self.scale.reading if self.cut else "values as they are stored"

    def band(self, index: int) -> Image.Image:
        """One band, counted from 0, as Pillow's single-precision numbers."""
        width, height = self.size
        values = np.empty((height, width), np.float32)
        for top, bottom in self.pixels.strips():
            strip = self.pixels.band_values(top, bottom)[..., index].astype(np.float64)
            shares = (strip - self.scale.low) / (self.scale.high - self.scale.low)
            with np.errstate(over="ignore"):  # which is said of the whole band
                values[top:bottom] = np.clip(shares, 0, 1) if self.cut else shares
        return Image.fromarray(finite(values))
