"""Every metric of one image's maps, beside what random maps score on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.evaluation.metric import MapsOfImage, Metric, Scores, metrics


@dataclass
class Measured:
    """What one map scored: values and curves by the metrics' names."""

    values: dict[str, float] = field(default_factory=dict)
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass
class Measurement:
    """What the maps of an image scored.

    maps: of the methods, one entry a map.
    random: by metric, what each random map scored. ranges, blind: by metric, as `Scores` has them.
    """

    maps: list[Measured]
    random: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)


def measure(
    sample: MapsOfImage, random: int = 0, digits: int = 5, *, entries: Sequence[Metric] | None = None
) -> Measurement:
    """What each of an image's maps scores on every metric that is defined for it, rounded to so many digits.

    A value that isn't finite is left out, as is one that the metric doesn't define for the map.

    Args:
        random: how many of the maps, the last ones, are random ones to compare with.
        entries: the metrics; those of the effort where None.
    """
    methods = len(sample.maps) - random
    result = Measurement([Measured() for _ in range(methods)])
    for entry in metrics(sample.effort) if entries is None else entries:
        if entry.needs_mask and sample.mask is None:
            continue
        for name, scores in entry.function(sample).items():
            values = _rounded(scores.values, digits)
            result.random |= _by_name(name, tuple(value for value in values[methods:] if value is not None))
            if scores.range is not None:
                result.ranges[name] = round(scores.range, digits)
            if scores.blind:
                result.blind[name] = scores.blind
            for measured, value, curve in zip(result.maps, values, _curves(scores), strict=False):
                if value is not None:
                    measured.values[name] = value
                    if curve is not None:
                        measured.curves[name] = tuple(round(float(point), digits) for point in curve)
    return result


def _by_name(name: str, values: tuple[float, ...]) -> Mapping[str, tuple[float, ...]]:
    return {name: values} if values else {}


def _curves(scores: Scores) -> Sequence[Sequence[float] | None]:
    return [None] * len(scores.values) if scores.curves is None else scores.curves


def _rounded(values: Sequence[float | None], digits: int) -> list[float | None]:
    return [None if value is None or not math.isfinite(value) else round(float(value), digits) for value in values]
