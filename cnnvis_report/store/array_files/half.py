"""Maps in half precision: float16 numbers and a power of two, which give the map back to 11 bits.

A value differs from the one that was computed by at most 1/2048 of itself; a value below 1/16384 of the map's largest
by at most 1/33554432 of that largest.
"""

from math import frexp

import numpy as np
import numpy.typing as npt

SCALE, COLOR = "scale", "color"  # what may stand beside a map, as "KEY/scale" and "KEY/color"
LARGEST = 1 - 2.0**-11  # the largest float16 below 1
LOWEST, HIGHEST = -148, 128  # exponents of the largest value of a map in float32


def halved(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float16], float]:
    """A map in float16, its largest magnitude within [0.5, 1), and the power of two that it has to be multiplied by."""
    exponent = frexp(float(np.abs(values).max(initial=0)))[1]
    scaled = np.ldexp(values.astype(np.float64), -exponent)
    return np.clip(scaled, -LARGEST, LARGEST).astype(np.float16), 2.0**exponent


def restored(values: npt.NDArray[np.float16], scale: float) -> npt.NDArray[np.float32]:
    """The map that `halved` was given, to its precision."""
    return np.asarray(np.ldexp(values.astype(np.float32), frexp(scale)[1] - 1), dtype=np.float32)


def is_scale(scale: float) -> bool:
    """Whether a number is a power of two that `halved` can give."""
    fraction, exponent = frexp(scale)
    return fraction == 0.5 and LOWEST <= exponent - 1 <= HIGHEST
