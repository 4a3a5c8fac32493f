"""How equal the maps of two methods are over the images."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Exact = npt.NDArray[np.float64]

EQUAL = 0.999  # rank correlation from which two maps of an image are the same


def _none() -> Counts:
    return np.zeros((0, 0), np.int64)


@dataclass
class Agreement:
    """Rank correlations of the maps of each pair of rows, counted image by image: arrays [rows, rows].

    images: on how many both maps vary. equal: on how many of these they agree by EQUAL or more. lowest: their lowest
    rank correlation. apart: on how many images one of them varies and the other has a single value.
    """

    images: Counts = field(default_factory=_none)
    equal: Counts = field(default_factory=_none)
    lowest: Exact = field(default_factory=lambda: np.zeros((0, 0)))
    apart: Counts = field(default_factory=_none)

    def grow(self, rows: int) -> None:
        """Make room for so many rows."""
        more = (0, max(0, rows - len(self.images)))
        self.images, self.equal, self.apart = (
            np.pad(counts, (more, more)) for counts in (self.images, self.equal, self.apart)
        )
        self.lowest = np.pad(self.lowest, (more, more), constant_values=np.inf)

    def add(self, indices: Sequence[int], matrix: Sequence[Sequence[float | None]]) -> None:
        """Count in the rank correlations of one image, None where a map has a single value.

        Args:
            indices: the rows that its maps belong to.
        """
        self.grow(max(indices) + 1)
        values = np.array([[np.nan if value is None else value for value in row] for row in matrix], np.float64)
        grid, known = np.ix_(indices, indices), ~np.isnan(values)
        varies = known.diagonal()
        self.images[grid] += known
        self.equal[grid] += known & (values >= EQUAL)
        self.apart[grid] += varies[:, None] != varies[None, :]
        self.lowest[grid] = np.minimum(self.lowest[grid], np.where(known, values, np.inf))
