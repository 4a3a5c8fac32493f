"""Numbers of images, a few bytes each."""

from array import array

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.paired import median_of
from cnnvis_report.records.comparison import Median

Exact = npt.NDArray[np.float64]
UNKNOWN = float("nan")


class Column:
    """A number of each image, or none."""

    def __init__(self) -> None:
        self._values = array("d")

    def add(self, value: float | None) -> None:
        """Note the next image's."""
        self._values.append(UNKNOWN if value is None else value)

    @property
    def values(self) -> Exact:
        """[images], nan where there is none."""
        return np.frombuffer(self._values) if self._values else np.zeros(0)

    @property
    def median(self) -> Median | None:
        """The median of those that there are."""
        return median_of(self.values[~np.isnan(self.values)].tolist())
