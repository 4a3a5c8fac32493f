"""What tests that explain images again found of each method."""

from collections import defaultdict
from collections.abc import Sequence

from cnnvis_report.evidence.measurements import Row
from cnnvis_report.records.metrics import MethodTest


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
