"""The picture that pages show of bands that are neither gray nor color."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from cnnvis_report.errors import BadRequest, UnusedOption
from cnnvis_report.records.bands import HIGH, LOW, USUAL, ShownBands

MOST_BANDS = 20


def choose_bands(channels: int, wanted: Sequence[float] | None) -> ShownBands | None:
    """The bands that a user wants to see, or the first ones; None for gray and color pictures.

    Raises:
        UnusedOption: the network reads gray or color pictures.
        BadRequest: there are no such bands.
    """
    if wanted is None:
        return None if channels in USUAL else ShownBands((1, 2, 3) if channels > USUAL[1] else (1,))
    text = ",".join(f"{number:g}" for number in wanted)
    if channels in USUAL:
        kind = "gray" if channels == 1 else "color"
        raise UnusedOption("--rgb", text, f"the network reads {kind} pictures, which are shown as they are.")
    numbers = tuple(int(number) for number in wanted)
    if len(wanted) not in USUAL or numbers != tuple(wanted) or not all(0 < band <= channels for band in numbers):
        raise BadRequest(
            f"--rgb {text}: give three bands as red, green and blue, or one as gray, each from 1 to {channels}, such "
            f"as {'3,2,1' if channels > USUAL[1] else '1'}."
        )
    return ShownBands(numbers)


def chosen_bands(bands: ShownBands, values: Tensor) -> Tensor:
    """The shown bands of values [C, H, W]: [3, H, W] or [1, H, W]."""
    return values[[number - 1 for number in bands.numbers]]


def band_picture(bands: ShownBands, values: Tensor) -> npt.NDArray[np.uint8]:
    """H×W×3 or H×W bytes: what pages show of a picture's values [C, H, W], before they are normalized."""
    shown = chosen_bands(bands, values).double().numpy()
    if bands.stretched:
        low, high = np.percentile(shown, (LOW, HIGH), axis=(1, 2), keepdims=True)
        shown = (shown - low) / np.where(high > low, high - low, 1)
    pixels = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
