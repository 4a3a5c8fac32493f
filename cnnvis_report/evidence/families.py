"""In which order methods stand that nothing ranks: by family, as a method follows what it builds on."""

import re
from collections.abc import Sequence

from cnnvis_report.records.methods import Family, MethodInfo


def by_family(methods: Sequence[MethodInfo]) -> list[MethodInfo]:
    """By family, the known ones first, and by year within, so that a method follows what it builds on."""
    return sorted(methods, key=lambda method: (*_family(method), _year(method), method.name))


def well_known_first(methods: Sequence[MethodInfo]) -> list[MethodInfo]:
    """By family too, but within one the most prominent method first, as figures and tables show them."""
    return sorted(methods, key=lambda method: (*_family(method), -method.prominence, _year(method), method.name))


def _family(method: MethodInfo) -> tuple[int, str]:
    order = {family.value: position for position, family in enumerate(Family)}
    return order.get(method.family, len(order)), method.family


def _year(method: MethodInfo) -> str:
    match = re.search(r"\b(19|20)\d\d\b", method.source)
    return match[0] if match else ""
