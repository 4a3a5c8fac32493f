"""One color of a picture of more than 8 bits, or its brightness, in 0…1 and single precision."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.data.decoding.row_picture import RowPicture
from cnnvis_report.data.pixels import Pixels, Values
from cnnvis_report.data.preprocessing.byte_scale import FULL, ByteScale, finite, has_alpha, without_alpha

BRIGHTNESS = (0.299, 0.587, 0.114)  # of ITU-R BT.601, by which Pillow makes bytes of color gray


@dataclass(frozen=True)
class DeepBand(RowPicture):
    """What lies between black and white without steps; transparent pixels show white.

    color: which of the colors, counted from 0; None for the brightness of all. Gray has one, whichever is asked for.
    """

    pixels: Pixels
    scale: ByteScale
    color: int | None = None
    mode: str = "F"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.size

    def rows(self, top: int, bottom: int) -> Image.Image:
        """The rows from `top` to before `bottom`, of Pillow's single-precision numbers.

        Raises:
            UnusablePicture: some aren't finite.
        """
        values = np.asarray(self.pixels.rows(top, bottom))
        shares = self._shares(without_alpha(values))
        clear = transparent(values, self.pixels.transparent)
        if clear is not None:
            shares[clear] = 1
        if has_alpha(values):
            shares = 1 - np.clip(values[..., -1] / FULL, 0, 1) * (1 - shares)
        return Image.fromarray(finite(shares.astype(np.float32)))

    def _shares(self, colors: Values) -> npt.NDArray[np.float64]:
        """H×W of values H×W, or H×W×C."""
        if colors.ndim == 2 or colors.shape[2] == 1:
            return self.scale.to_shares(colors.reshape(colors.shape[:2]))
        if self.color is not None:
            return self.scale.to_shares(colors[..., self.color])
        shares = np.zeros(colors.shape[:2])
        for color, weight in enumerate(BRIGHTNESS):
            shares += weight * self.scale.to_shares(colors[..., color])
        return shares


def transparent(values: Values, color: int | tuple[int, ...] | None) -> Values | None:
    """Where the one color lies that a PNG calls transparent; None where it calls none so."""
    if isinstance(color, int) and values.ndim == 2:
        return np.asarray(values == color)
    if isinstance(color, tuple) and values.ndim == 3 and values.shape[2] == len(color):
        return np.asarray((values == np.array(color)).all(axis=2))
    return None
