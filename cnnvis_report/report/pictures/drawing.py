"""Maps as pictures: over the picture that they explain, or alone; and the color bars that belong to them.

The page's scripts draw the same, pixel by pixel; a test of the pages compares them.
"""

from dataclasses import dataclass

import numpy as np

from cnnvis_report.records.methods import Array, Kind, MethodInfo, Sign
from cnnvis_report.report.pictures.palettes import RGB, Pixels, colors, limit, strengths
from cnnvis_report.report.pictures.resample import Growth, Values, resize

SQUARES_UP_TO = 96  # pixels of the longer side: those of so small a picture are shown as squares
STEEPNESS = 1.5  # how opaque a signed map is at its ends, of the opacity
GROUND = 128  # gray below the bar of a scale that lies over the picture


@dataclass(frozen=True)
class Look:
    """How maps are drawn.

    positive: the palette of maps that are never negative.
    signed: the palette of maps of both signs.
    opacity: of a map over the picture, from 0 to 1. That of a signed one grows from nothing at zero to half as much
        again at the ends of its scale, and never beyond 1.
    background: what zero looks like in a signed map that stands alone.
    smooth: whether coarse maps are interpolated; else their positions are squares.
    """

    positive: str = "turbo"
    signed: str = "RdBu"
    opacity: float = 0.5
    background: RGB = (255, 255, 255)
    smooth: bool = True

    def palette(self, sign: Sign) -> str:
        """The name of the palette of maps of a sign."""
        return self.signed if sign is Sign.SIGNED else self.positive


def draw_map(
    picture: Pixels,
    values: Array,
    method: MethodInfo,
    size: tuple[int, int],
    look: Look = Look(),
    end: float | None = None,
) -> Pixels:
    """A map as a picture [height, width, 3]: pixel maps alone, others over the picture.

    Args:
        picture: [H, W] or [H, W, 3], what the network saw.
        values: [h, w], as `MethodInfo.shown` gives it.
        size: (height, width) of what is drawn; a map with more pixels is averaged.
        end: where the colors end; of each map for itself without it.
    """
    sign, alone = method.shown_sign, method.kind is Kind.PIXEL
    end = limit(values, clipped=alone) if end is None else end
    working = (max(size[0], values.shape[0]), max(size[1], values.shape[1]))
    growth = Growth.CUBIC if look.smooth and not alone else Growth.NEAREST
    grown = resize(values, working, growth)
    if alone:
        return _bytes(resize(_colored(grown, end, sign, look, alone).astype(np.float64), size))
    return _over(draw_picture(picture, size), grown, end, sign, look)


def draw_over(picture: Pixels, values: Array, sign: Sign, size: tuple[int, int]) -> Pixels:
    """A coarse map that is no method's over the picture, as `draw_map` draws those."""
    grown = resize(values, (max(size[0], values.shape[0]), max(size[1], values.shape[1])), Growth.CUBIC)
    return _over(draw_picture(picture, size), grown, limit(values, clipped=False), sign, Look())


def draw_picture(picture: Pixels, size: tuple[int, int]) -> Values:
    """What the network saw, as a map over it has it below: [height, width, 3]."""
    color = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    growth = Growth.NEAREST if max(picture.shape[:2]) <= SQUARES_UP_TO else Growth.CUBIC
    return np.clip(resize(color.astype(np.float64), size, growth), 0, 255)


def bar_colors(sign: Sign, kind: Kind, look: Look = Look(), steps: int = 256) -> Pixels:
    """[steps, 3]: the colors of a scale as `draw_map` gives them, from its low end to its high one, over gray."""
    values = np.linspace(-1 if sign is Sign.SIGNED else 0, 1, steps)
    colored = _colored(values, 1.0, sign, look, kind is Kind.PIXEL)
    if kind is Kind.PIXEL:
        return colored
    alpha = _opacity(values, 1.0, sign, look)[..., None]
    return _bytes(GROUND * (1 - alpha) + colored * alpha)


def _over(below: Values, grown: Values, end: float, sign: Sign, look: Look) -> Pixels:
    """A map over a picture [height, width, 3] that is no larger."""
    alpha = _opacity(grown, end, sign, look)[..., None]
    size = below.shape[0], below.shape[1]
    return _bytes(below * (1 - resize(alpha, size)) + resize(_colored(grown, end, sign, look, False) * alpha, size))


def _colored(values: Values, end: float, sign: Sign, look: Look, alone: bool) -> Pixels:
    middle = look.background if alone and sign is Sign.SIGNED else None
    return colors(values, end, sign, look.palette(sign), middle)


def _opacity(values: Values, end: float, sign: Sign, look: Look) -> Values:
    if sign is Sign.POSITIVE:
        return np.full(values.shape, look.opacity)
    return min(1.0, STEEPNESS * look.opacity) * strengths(values, end)


def _bytes(values: Values) -> Pixels:
    return np.asarray(np.floor(np.clip(values, 0, 255) + 0.5), dtype=np.uint8)
