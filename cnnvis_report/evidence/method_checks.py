"""Checks that a method has to pass before it is recommended, from what was measured of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cnnvis_report.evidence import words
from cnnvis_report.evidence.comparison import Comparison
from cnnvis_report.evidence.measurements import Measurements, Row
from cnnvis_report.evidence.statistics import FEWEST, Bootstrap
from cnnvis_report.records.evidence import Check, Interval
from cnnvis_report.records.metrics import MethodTest, MetricInfo

UNCHANGED = 0.5  # rank correlation of magnitudes with the maps of a network of random weights
LOST = 0.25  # of the score, or of its rise from the baseline, that a map's values miss
CONSTANT = 0.5  # of the images

UNDECIDED = "not decided"
RANDOMIZATION, COMPLETENESS, CONSERVATION = "randomization", "completeness", "conservation"
LOCALIZATION, ONE_VALUE = "localization", "constant"
SHARES = (COMPLETENESS, CONSERVATION, ONE_VALUE)  # checks whose value is a share, said as a percentage


class MapTests:
    """Values of tests by method and layer, one for each image that was tested."""

    def __init__(self, tests: Sequence[MethodTest]) -> None:
        self._values: dict[str, dict[Row, Sequence[float]]] = defaultdict(dict)
        for test in tests:
            if test.values:
                self._values[test.name][test.method, test.layer] = test.values

    def images(self) -> dict[str, int]:
        """On how many images each test was made at most, by its name."""
        return {name: max(map(len, by_row.values())) for name, by_row in self._values.items()}

    def of(self, name: str, row: Row) -> Sequence[float]:
        """What a test found of a method; none where it wasn't made."""
        values = self._values.get(name, {})
        return values.get(row) or values.get((row[0], "")) or ()  # the default layer is tested without being named


def randomization_check(correlations: Sequence[float], bootstrap: Bootstrap) -> Check:
    """Whether maps change when all weights are randomized.

    Args:
        correlations: of the magnitudes with those of the trained network, at the last step of the cascade, by image.
    """
    value = bootstrap.interval(correlations)
    measured = "rank correlation of its magnitudes with those of the trained network"
    return _below(
        RANDOMIZATION,
        value,
        UNCHANGED,
        failed=f"barely changes when all weights are randomized ({measured}: {{}})",
        passed=f"changes when all weights are randomized ({measured}: {{}})",
        undecided=f"it isn't decided whether it changes when all weights are randomized ({measured}: {{}})",
    )


def completeness_check(errors: Sequence[float], bootstrap: Bootstrap) -> Check:
    """Whether a map's values sum to what its definition says.

    Args:
        errors: as fractions of that, by image; larger ones count as 1.
    """
    value = bootstrap.interval([min(abs(error), 1.0) for error in errors])
    return _below(
        COMPLETENESS,
        value,
        LOST,
        failed="its values miss the score that they should sum to (completeness error {})",
        passed="its values sum to the score (completeness error {})",
        undecided="it isn't decided whether its values sum to the score (completeness error {})",
    )


def conservation_check(shares: Sequence[float], bootstrap: Bootstrap) -> Check:
    """How much of the score the relevance at the pixels misses; biases absorb or add the rest.

    It never fails: what a rule gives to biases is lost by its definition, and says nothing of where the rest lies.

    Args:
        shares: the sum of the relevance over the score, by image; what is missed counts as 1 at most.
    """
    value = bootstrap.interval([min(abs(1 - share), 1.0) for share in shares])
    missed = "not conserved by definition: biases absorb or add {} of the score"
    check = _below(
        CONSERVATION,
        value,
        LOST,
        failed=missed,
        passed="its relevance sums to the score but for {}",
        undecided="it isn't decided whether its relevance sums to the score (it misses {})",
    )
    return replace(check, passed=check.passed or None)


def constant_check(constant: Sequence[float]) -> Check:
    """Whether a map has more than one value."""
    share = float(np.mean(constant))
    count = f"{round(sum(constant))} of {len(constant)} images"
    value = Interval(share, None, None, len(constant))
    if share > CONSTANT:
        return Check(ONE_VALUE, False, value, f"gives a constant map, a single value everywhere on {count}")
    return Check(ONE_VALUE, True, value, f"has a single value everywhere on {count}")


def localization_check(difference: Interval, metric: MetricInfo) -> Check:
    """Whether a map lies on the object more than a random map does.

    Args:
        difference: to the random maps, on this metric.
    """
    amount = words.difference(difference, percent=metric.percent)
    measured = f"({metric.title}, difference to a random map: {amount})"
    low, high = difference.low, difference.high
    passed = None if low is None or high is None or low <= 0 <= high else low > 0
    reason = {
        True: f"lies on the object more than a random map {measured}",
        False: f"lies on the object less than a random map {measured}",
        None: f"isn't known to lie on the object more than a random map {measured}",
    }[passed]
    return Check(LOCALIZATION, passed, difference, reason)


def outcome(check: Check) -> str:
    """What came of a check: "passed", "failed", "not decided", or "not kept by definition" where that is no fault."""
    value = check.value
    if check.name == CONSERVATION and check.passed is None and value and value.low is not None and value.low > LOST:
        return "not kept by definition"
    return {True: "passed", False: "failed", None: UNDECIDED}[check.passed]


def amount(name: str, value: Interval) -> str:
    """The number that decides a check, in words."""
    return words.interval(value, percent=name in SHARES)


def _below(name: str, value: Interval, limit: float, *, failed: str, passed: str, undecided: str) -> Check:
    """A check that a value lies below a limit, decided where the whole interval lies on one side."""
    if value.low is None or value.high is None:
        images = f"{value.images} {'image is' if value.images == 1 else 'images are'}"
        too_few = f"; {images} too few, {FEWEST} are needed"
        return Check(name, None, value, undecided.format(amount(name, value)) + too_few)
    if value.low > limit:
        return Check(name, False, value, failed.format(amount(name, value)))
    if value.high < limit:
        return Check(name, True, value, passed.format(amount(name, value)))
    return Check(name, None, value, undecided.format(amount(name, value)))


def checks_of(
    row: int, numbers: Measurements, tests: MapTests, localization: Comparison | None, bootstrap: Bootstrap
) -> Iterator[Check]:
    """All checks that apply to a row of measurements.

    Args:
        tests: what the randomization test found. localization: the measure that decides; None without masks.
    """
    constant = _known(numbers.constant[:, row])
    if len(constant) and constant.any():
        yield constant_check(constant.tolist())
    correlations = tests.of(RANDOMIZATION, numbers.rows[row])
    if correlations:
        yield randomization_check(correlations, bootstrap)
    for name, check in (("residual", completeness_check), ("conservation", conservation_check)):
        stated = _known(numbers.stated[name][:, row])
        if len(stated):
            yield check(stated.tolist(), bootstrap)
    difference = localization.differences[row] if localization is not None else None
    if localization is not None and difference is not None:
        yield localization_check(difference, localization.metric)


def failed(checks: Sequence[Check]) -> bool:
    """Whether one of them failed."""
    return any(check.passed is False for check in checks)


def localized(checks: Sequence[Check]) -> bool:
    """Whether a map lies on the object more than chance, or nobody can tell."""
    known = [check for check in checks if check.name == LOCALIZATION and check.value and check.value.low is not None]
    return all(check.passed for check in known)


def _known(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return values[~np.isnan(values)]
