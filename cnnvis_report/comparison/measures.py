"""What each run has measured of its methods, by the names that the comparison gives them."""

from collections.abc import Sequence

from cnnvis_report.evidence import words
from cnnvis_report.evidence.comparison import kind_of
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.evidence import Evidence, Interval
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from cnnvis_report.store.run_folder import StoredRun

Measures = dict[str, dict[str, Interval]]


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
