"""What each run has measured of its methods, and how that differs between runs, image by image, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np

from cnnvis_report.comparison.columns import Column
from cnnvis_report.evidence import words
from cnnvis_report.evidence.comparison import kind_of
from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.evidence import Evidence, Interval
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from cnnvis_report.store.run_folder import StoredRun

Measures = dict[str, dict[str, Interval]]
Differences = dict[str, tuple[Interval | None, ...]]  # by measure, of each later run


def measures_of(evidence: Evidence | None, methods: Sequence[ComparedMethod], run: int) -> Measures:
    """A run's means by measure and by method.

    Args:
        run: its position.
    """
    keys = {(method.info.name, method.layers[run]): method.key for method in methods}
    measures: Measures = {}
    if evidence is None:
        return measures
    for entry in evidence.methods:
        key = keys.get((entry.method, entry.layer)) or words.label(entry, evidence)
        for name, measure in entry.measures.items():
            measures.setdefault(name, {})[key] = measure.value
    return measures


def shared_metrics(runs: Sequence[StoredRun]) -> tuple[MetricInfo, ...]:
    """The measures that any run has, as pages order them."""
    metrics: dict[str, MetricInfo] = {}
    for run in runs:
        for info in run.record.evaluation.metrics if run.record.evaluation else ():
            metrics.setdefault(info.name, words.in_terms_of(run.record, info))
    return tuple(sorted(metrics.values(), key=lambda info: list(MetricKind).index(kind_of(info))))


class MeasureDifferences:
    """Differences of each measure of each method on the images that both runs have measured."""

    def __init__(self, metrics: Sequence[MetricInfo], methods: Sequence[ComparedMethod], runs: int) -> None:
        self.metrics, self.methods, self.later = metrics, methods, range(1, runs)
        self._columns = {
            (metric.name, method.key, run): Column() for metric in metrics for method in methods for run in self.later
        }

    def add(self, images: Sequence[ImageRecord]) -> None:
        """Count in one image, by its record in each run."""
        if all(image.metrics is None and image.localization is None for image in images[1:]):
            return
        for metric in self.metrics:
            first, *later = (_values(image, metric) for image in images)
            for run, values in enumerate(later, start=1):
                for method in self.methods:
                    before = first.get((method.info.name, method.layers[0]))
                    after = values.get((method.info.name, method.layers[run]))
                    difference = None if before is None or after is None else after - before
                    self._columns[metric.name, method.key, run].add(difference)

    def result(self) -> Mapping[str, Differences]:
        """By method, the mean differences with their intervals; all columns go through one bootstrap."""
        names = list(self._columns)
        if not names or not len(self._columns[names[0]].values):
            return {}
        values = np.stack([self._columns[name].values for name in names], axis=1)
        intervals = dict(zip(names, Bootstrap().intervals(values), strict=True))
        return {method.key: self._of_method(method.key, intervals) for method in self.methods}

    def _of_method(self, key: str, intervals: Mapping[tuple[str, str, int], Interval | None]) -> Differences:
        rows = {metric.name: tuple(intervals[metric.name, key, run] for run in self.later) for metric in self.metrics}
        return {name: row for name, row in rows.items() if any(row)}


def _values(image: ImageRecord, metric: MetricInfo) -> dict[tuple[str, str], float]:
    """What the maps of an image scored, by method and layer; nothing where the image tells nothing."""
    metrics = (image.localization if metric.needs_mask else None) or image.metrics
    if metrics is None or metrics.blind.get(metric.name):
        return {}
    name = metric.name
    return {(scored.method, scored.layer): scored.values[name] for scored in metrics.maps if name in scored.values}
