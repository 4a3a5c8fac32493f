"""In which order methods stand, and which of them stands for the others."""

import re
from collections.abc import Sequence

from cnnvis_report.records.methods import Family, MethodInfo
from cnnvis_report.records.run import RunRecord


def by_family(methods: Sequence[MethodInfo]) -> list[MethodInfo]:
    """By family, the known ones first, and by year within, so that a method follows what it builds on."""
    order = {family.value: position for position, family in enumerate(Family)}
    key = lambda method: (order.get(method.family, len(order)), method.family, _year(method), method.name)  # noqa: E731
    return sorted(methods, key=key)


def shown_first(run: RunRecord) -> str:
    """The method whose maps the gallery shows at first; empty where there is none."""
    missing = {gap.method for gap in run.not_applicable}
    available = [method for method in run.methods if method.name not in missing]
    return max(available, key=lambda method: method.prominence).name if available else ""


def _year(method: MethodInfo) -> str:
    match = re.search(r"\b(19|20)\d\d\b", method.source)
    return match[0] if match else ""
