"""Colors: what a value looks like, the same in the pictures made here and in the page's own scripts."""

import math
import re
from functools import cache

import numpy as np
import numpy.typing as npt
from plotly.colors import diverging, sequential

from cnnvis_report.records.methods import Array, Sign

STEPS = 1024  # so many that two neighbors differ by hardly a level
CLIPPED_AT = 0.99

Pixels = npt.NDArray[np.uint8]
RGB = tuple[int, int, int]
Stops = tuple[RGB, ...]

# For maps that are never negative: from the color of 0 up.
POSITIVE = {
    "turbo": sequential.Turbo,
    "inferno": sequential.Inferno,
    "viridis": sequential.Viridis,
    "cividis": sequential.Cividis,
    "magma": sequential.Magma,
    "gray": [(0, 0, 0), (255, 255, 255)],
}
# For maps of both signs: from against the class to for it, which is the warm end; the middle is 0.
SIGNED = {
    "RdBu": diverging.RdBu[::-1],
    "PuOr": diverging.PuOr[::-1],
    "seismic": [(0, 0, 77), (0, 0, 255), (255, 255, 255), (255, 0, 0), (128, 0, 0)],
}
DEFAULT = {Sign.POSITIVE: "turbo", Sign.SIGNED: "RdBu"}


@cache
def stops(palette: str) -> Stops:
    """The colors of a palette at equal distances: from 0 up, or from the most negative up."""
    return tuple(_rgb(color) for color in (POSITIVE | SIGNED)[palette])


def all_stops() -> dict[str, dict[str, Stops]]:
    """Every palette by the sign that it is for, for the page's scripts."""
    return {
        sign.value: {name: stops(name) for name in palettes}
        for sign, palettes in ((Sign.POSITIVE, POSITIVE), (Sign.SIGNED, SIGNED))
    }


@cache
def table(palette: str, middle: RGB | None = None) -> Pixels:
    """[1024, 3]: the palette's colors, straight lines between its stops.

    Args:
        middle: the color in the place of the middle stop, such as that of the page.
    """
    colors = np.array(stops(palette), dtype=np.float64)
    if middle is not None:
        colors[len(colors) // 2] = middle
    positions = np.linspace(0, len(colors) - 1, STEPS)
    channels = [np.interp(positions, np.arange(len(colors)), colors[:, channel]) for channel in range(3)]
    return np.floor(np.stack(channels, axis=1) + 0.5).astype(np.uint8)


def limit(values: Array, clipped: bool) -> float:
    """Where the colors end: the largest absolute value, or the one that 99 % of the places don't exceed."""
    sizes = np.abs(values)
    rank = math.ceil(CLIPPED_AT * sizes.size) - 1
    end = float(np.partition(sizes, rank, axis=None)[rank]) if clipped else 0.0  # a tenth of the time of np.quantile
    return end or float(sizes.max()) or 1.0


def strengths(values: Array, end: float) -> Array:
    """Absolute values as shares of where the colors end, at most 1."""
    return np.minimum(np.abs(values) / end, 1).astype(np.float32)


def colors(values: Array, end: float, sign: Sign, palette: str = "", middle: RGB | None = None) -> Pixels:
    """[h, w, 3]: what each value looks like; zero is the middle of a signed palette and the start of a positive one."""
    positions = values / end
    if sign is Sign.SIGNED:
        positions += 1
        positions /= 2
    np.clip(positions, 0, 1, out=positions)
    positions *= STEPS - 1
    positions += 0.5
    return table(palette or DEFAULT[sign], middle).take(positions.astype(np.intp), axis=0)  # cut, as they are positive


def _rgb(color: str | RGB) -> RGB:
    if not isinstance(color, str):
        return color
    if color.startswith("#"):
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
    red, green, blue = re.findall(r"\d+", color)[:3]
    return int(red), int(green), int(blue)
