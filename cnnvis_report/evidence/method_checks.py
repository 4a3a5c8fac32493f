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
from cnnvis_report.evidence.measurements import Measurements
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.evidence import Check
from cnnvis_report.records.run import RunRecord


class MethodChecks:
    """Checks of the rows of one set of measurements.

    Args:
        localization: the measure of localization that decides; None without masks.
    """

    def __init__(
        self, run: RunRecord, numbers: Measurements, localization: Comparison | None, bootstrap: Bootstrap
    ) -> None:
        self._numbers, self._localization, self._bootstrap = numbers, localization, bootstrap
        tests = run.evaluation.tests if run.evaluation else ()
        self._randomization = {(test.method, test.layer): test.values for test in tests if test.name == RANDOMIZATION}

    def of(self, row: int) -> tuple[Check, ...]:
        """All that apply to a row."""
        return tuple(self._checks(row))

    def _checks(self, row: int) -> Iterable[Check]:
        method, layer = self._numbers.rows[row]
        constant = _known(self._numbers.constant[:, row])
        if len(constant) and constant.any():
            yield constant_check(constant.tolist())
        # a method that reads the default layer is tested without naming it
        correlations = self._randomization.get((method, layer)) or self._randomization.get((method, ""))
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
