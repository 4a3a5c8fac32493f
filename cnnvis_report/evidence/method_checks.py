"""All checks that apply to a method."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence.checks import (
    LOCALIZATION,
    RANDOMIZATION,
    completeness_check,
    conservation_check,
    constant_check,
    localization_check,
    randomization_check,
)
from cnnvis_report.evidence.comparison import Comparison
from cnnvis_report.evidence.map_tests import MapTests
from cnnvis_report.evidence.measurements import Measurements
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.evidence import Check


class MethodChecks:
    """Checks of the rows of one set of measurements.

    Args:
        tests: what the randomization test found. localization: the measure that decides; None without masks.
    """

    def __init__(
        self, numbers: Measurements, tests: MapTests, localization: Comparison | None, bootstrap: Bootstrap
    ) -> None:
        self._numbers, self._tests, self._localization, self._bootstrap = numbers, tests, localization, bootstrap

    def of(self, row: int) -> tuple[Check, ...]:
        """All that apply to a row."""
        return tuple(self._checks(row))

    def _checks(self, row: int) -> Iterable[Check]:
        constant = _known(self._numbers.constant[:, row])
        if len(constant) and constant.any():
            yield constant_check(constant.tolist())
        correlations = self._tests.of(RANDOMIZATION, self._numbers.rows[row])
        if correlations:
            yield randomization_check(correlations, self._bootstrap)
        for name, check in (("residual", completeness_check), ("conservation", conservation_check)):
            stated = _known(self._numbers.stated[name][:, row])
            if len(stated):
                yield check(stated.tolist(), self._bootstrap)
        if self._localization is not None:
            difference = self._localization.differences[row]
            if difference is not None:
                yield localization_check(difference, self._localization.metric)


def failed(checks: Sequence[Check]) -> bool:
    """Whether one of them failed."""
    return any(check.passed is False for check in checks)


def localized(checks: Sequence[Check]) -> bool:
    """Whether a map lies on the object more than chance, or nobody can tell."""
    known = [check for check in checks if check.name == LOCALIZATION and check.value and check.value.low is not None]
    return all(check.passed for check in known)


def _known(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return values[~np.isnan(values)]
