"""Colors: what a value looks like, the same in the pictures made here and in the page's own scripts."""

import re
from functools import cache

import numpy as np
import numpy.typing as npt
from plotly.colors import diverging, sequential

from cnnvis_report.records.methods import Array, Sign

STEPS = 256
CLIPPED_AT = 0.99
OPACITY = 0.85

Stops = tuple[tuple[int, int, int], ...]

# The names of Plotly's scales, for positive and for signed maps; the flag turns a scale round.
SCALES = {
    "inferno": ((sequential.Inferno, False), (diverging.RdBu, True)),
    "viridis": ((sequential.Viridis, False), (diverging.PRGn, True)),
    "cividis": ((sequential.Cividis, False), (diverging.PuOr, True)),
    "gray": (([(0, 0, 0), (255, 255, 255)], False), ([(0, 0, 0), (128, 128, 128), (255, 255, 255)], False)),
}
DEFAULT = "inferno"


def stops(palette: str, sign: Sign) -> Stops:
    """The colors of a palette at equal distances: from 0 up, or from the most negative up."""
    scale, turned = SCALES[palette][sign is Sign.SIGNED]
    colors = tuple(_rgb(color) for color in scale)
    return colors[::-1] if turned else colors


def all_stops() -> dict[str, dict[str, Stops]]:
    """Every palette for both signs, for the page's scripts."""
    return {palette: {sign.value: stops(palette, sign) for sign in Sign} for palette in SCALES}


@cache
def table(palette: str, sign: Sign) -> npt.NDArray[np.uint8]:
    """[256, 3]: the palette's colors, straight lines between its stops."""
    colors = np.array(stops(palette, sign), dtype=np.float64)
    positions = np.linspace(0, len(colors) - 1, STEPS)
    channels = [np.interp(positions, np.arange(len(colors)), colors[:, channel]) for channel in range(3)]
    return np.floor(np.stack(channels, axis=1) + 0.5).astype(np.uint8)


def limit(values: Array, clipped: bool) -> float:
    """Where the colors end: the largest absolute value, or the one that 99 % of the places don't exceed."""
    sizes = np.abs(values)
    end = float(np.quantile(sizes, CLIPPED_AT, method="inverted_cdf")) if clipped else 0.0
    return end or float(sizes.max()) or 1.0


def strengths(values: Array, end: float) -> Array:
    """Absolute values as shares of where the colors end, at most 1."""
    return np.minimum(np.abs(values) / end, 1).astype(np.float32)


def colors(values: Array, end: float, sign: Sign, palette: str = DEFAULT) -> npt.NDArray[np.uint8]:
    """[h, w, 3]: what each value looks like; zero is the middle of a signed palette and the start of a positive one."""
    shares = np.clip(values / end, -1, 1)
    positions = (shares + 1) / 2 if sign is Sign.SIGNED else np.maximum(shares, 0)
    picked = table(palette, sign)[np.floor(positions * (STEPS - 1) + 0.5).astype(np.intp)]
    return np.asarray(picked, dtype=np.uint8)


def _rgb(color: str | tuple[int, int, int]) -> tuple[int, int, int]:
    if not isinstance(color, str):
        return color
    if color.startswith("#"):
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
    red, green, blue = re.findall(r"\d+", color)[:3]
    return int(red), int(green), int(blue)
