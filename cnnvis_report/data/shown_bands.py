"""Which bands of a picture stand for it on pages, where it is neither gray nor color."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from cnnvis_report.errors import BadRequest

MOST_BANDS = 20
USUAL = (1, 3)  # bands of gray and color pictures, which are shown as they are
LOW, HIGH = 2, 98  # percentiles of a band that are shown as black and white


@dataclass(frozen=True)
class ShownBands:
    """Bands as red, green and blue, or one band as gray, counted from 1.

    stretched: whether each band is shown from its 2nd to its 98th percentile over the image; else from 0 to 1.
    """

    numbers: tuple[int, ...]
    stretched: bool = False

    @classmethod
    def of(cls, channels: int, wanted: Sequence[float] | None) -> "ShownBands | None":
        """The bands that a user wants to see, or the first ones; None for gray and color pictures.

        Raises:
            BadRequest: there are no such bands, or the network reads gray or color pictures.
        """
        if wanted is None:
            return None if channels in USUAL else cls((1, 2, 3) if channels > USUAL[1] else (1,))
        given = f"--rgb {','.join(f'{number:g}' for number in wanted)}"
        if channels in USUAL:
            kind = "gray" if channels == 1 else "color"
            raise BadRequest(f"{given}: the network reads {kind} pictures, which are shown as they are.")
        numbers = tuple(int(number) for number in wanted)
        if len(wanted) not in USUAL or numbers != tuple(wanted) or not all(0 < band <= channels for band in numbers):
            raise BadRequest(
                f"{given}: give three bands as red, green and blue, or one as gray, each from 1 to {channels}, "
                f"such as {'3,2,1' if channels > USUAL[1] else '1'}."
            )
        return cls(numbers)

    def of_values(self, values: Tensor) -> Tensor:
        """The shown bands of values [C, H, W]: [3, H, W] or [1, H, W]."""
        return values[[number - 1 for number in self.numbers]]

    def picture(self, values: Tensor) -> npt.NDArray[np.uint8]:
        """H×W×3 or H×W bytes: what pages show of a picture's values [C, H, W], before they are normalized."""
        bands = self.of_values(values).double().numpy()
        if self.stretched:
            low, high = np.percentile(bands, (LOW, HIGH), axis=(1, 2), keepdims=True)
            bands = (bands - low) / np.where(high > low, high - low, 1)
        pixels = np.rint(np.clip(bands, 0, 1) * 255).astype(np.uint8)
        return np.ascontiguousarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))

    def describe(self) -> str:
        """Such as "bands 4, 3, 2, each from its 2nd to its 98th percentile"."""
        names = ", ".join(map(str, self.numbers))
        if len(self.numbers) == 1:
            return f"band {names} as gray{', from its 2nd to its 98th percentile' if self.stretched else ''}"
        scale = ", each from its 2nd to its 98th percentile" if self.stretched else ""
        return f"bands {names} as red, green and blue{scale}"
