"""Maps made from a mask, whose order is known whatever the network looks at."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnnvis_report.evaluation.metric import Mask

Map = npt.NDArray[np.float32]

STRENGTHS = (1.0, 0.5, 0.25, 0.0)  # of the mask, above noise in 0..1
SHIFTS = (1 / 3, 2 / 3, 1.0)  # of the mask's own width, sideways
FADED = tuple(range(len(STRENGTHS)))  # the planted maps that fade, best first
SHIFTED = (0, *range(len(STRENGTHS), len(STRENGTHS) + len(SHIFTS)))  # those that move away, best first


def planted_maps(mask: Mask, seed: int) -> list[Map]:
    """Maps [H, W] of a mask: faded into noise by STRENGTHS, then moved away from the object by SHIFTS.

    The first of them is larger everywhere on the mask than anywhere else; the last faded one is noise alone.
    """
    noise = np.random.default_rng(seed).random(mask.shape, dtype=np.float32)
    columns = np.flatnonzero(mask.any(axis=0))
    width, center = len(columns), columns.mean()
    way = 1 if center < mask.shape[1] / 2 else -1  # to the side that has more room
    faded = [noise + np.float32(strength) * mask for strength in STRENGTHS]
    moved = [noise + moved_mask(mask, way * round(share * width)) for share in SHIFTS]
    return [np.asarray(values, dtype=np.float32) for values in (*faded, *moved)]


def moved_mask(mask: Mask, pixels: int) -> Mask:
    """The mask so many pixels further to the right, or to the left where negative; what leaves the image is lost."""
    moved = np.roll(mask, pixels, axis=1)
    if pixels > 0:
        moved[:, :pixels] = False
    elif pixels < 0:
        moved[:, pixels:] = False
    return moved


def known_order(members: Sequence[int]) -> npt.NDArray[np.float64]:
    """Values that fall from the first of the members to the last."""
    return -np.arange(len(members), dtype=np.float64)
