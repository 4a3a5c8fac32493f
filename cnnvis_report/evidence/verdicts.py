"""One verdict on each method of a run, from the stored records alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cnnvis_report.evidence.comparison import compare, localization_measure, rank, ranking_measure
from cnnvis_report.evidence.duplicates import groups, reason
from cnnvis_report.evidence.families import well_known_first
from cnnvis_report.evidence.measurements import Measurements, Row, measurements
from cnnvis_report.evidence.method_checks import MapTests, checks_of, failed, localized
from cnnvis_report.evidence.statistics import CONFIDENCE, RESAMPLES, Bootstrap
from cnnvis_report.evidence.text import Text, limits_of
from cnnvis_report.records.evidence import (
    Evidence,
    Interval,
    MeasureEvidence,
    MeasureOfMethod,
    MethodEvidence,
    Standing,
)
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import RunRecord


def evidence_of(run: RunRecord, images: Iterable[ImageRecord]) -> Evidence | None:
    """What was measured of all methods, and what follows.

    Args:
        run: its methods, which of them aren't applicable, and its evaluation are read.
        images: all of the run or any of them, read one by one.

    Returns:
        None where not one image was measured, nor located by a mask.
    """
    if run.evaluation is None:
        return None
    baselines = [method.name for method in run.methods if method.baseline]
    numbers = measurements(images, baselines, run.evaluation.metrics)
    if not numbers.images and not any(len(values) for values in numbers.values.values()):
        return None
    bootstrap = Bootstrap(run.evaluation.seed)
    verdicts = _Verdicts(run, numbers, bootstrap)
    methods = (*verdicts.measured(), *verdicts.unmeasured())
    evidence = Evidence(
        images=numbers.images,
        faithfulness=verdicts.ranked_by.metric.name if verdicts.ranked_by else "",
        localization=verdicts.localization.metric.name if verdicts.localization else "",
        measures=verdicts.measures(),
        methods=methods,
        recommended=tuple(verdicts.labels[row] for row in verdicts.first if verdicts.is_recommended(row)),
        avoid=tuple(verdicts.labels[row] for row in verdicts.first if verdicts.is_avoided(row)),
        random_maps=numbers.random_maps,
        resamples=RESAMPLES,
        confidence=CONFIDENCE,
        seed=run.evaluation.seed,
    )
    return replace(evidence, text=tuple(Text(evidence, run).sentences()), limits=tuple(limits_of(evidence, run)))


class _Verdicts:
    """Verdicts on the rows of one set of measurements; a row is a method at a layer.

    comparisons: of all measures. ranked_by, localization: those that rank and that sentences cite.
    first: the rows that stand for themselves, in the order of the ranking. labels: what lists call each row.
    """

    def __init__(self, run: RunRecord, numbers: Measurements, bootstrap: Bootstrap) -> None:
        self.run, self.numbers, self.bootstrap = run, numbers, bootstrap
        self.tests = MapTests(run.evaluation.tests if run.evaluation else ())
        self.infos: list[MethodInfo] = [run.method(method) for method, _ in numbers.rows]
        self.labels = labels(numbers.rows)
        rows = range(len(numbers.rows))
        baselines = {row for row in rows if self.infos[row].baseline}
        judged = [row for row in rows if row not in baselines]
        metrics = run.evaluation.metrics if run.evaluation else ()
        self.comparisons = [
            compare(metric, numbers, bootstrap, len(judged)) for metric in metrics if metric.name in numbers.values
        ]
        self.ranked_by = ranking_measure(self.comparisons)
        self.localization = localization_measure(self.comparisons)
        self.checks = {row: tuple(checks_of(row, numbers, self.tests, self.localization, bootstrap)) for row in judged}
        self.failed = {row for row in judged if failed(self.checks[row])}
        self.groups = groups(numbers.agreement, sorted(judged, key=self._preference))
        self.ranking = rank(
            self.ranked_by,
            len(rows),
            candidates={group[0] for group in self.groups},
            failed=self.failed,
            baselines=baselines,
            bootstrap=bootstrap,
        )
        twins = {twin for group in self.groups for twin in group[1:]}
        order = self.ranking.order if self.ranked_by else sorted(rows, key=self._unranked)
        self.first = [row for row in order if row not in twins]

    def _preference(self, row: int) -> tuple[bool, int, float, str]:
        """Which of several methods with the same maps stands for them: the lowest."""
        info, passes = self.infos[row], sum(self.numbers.passes[self.numbers.rows[row]])
        return row in self.failed, -info.prominence, passes, info.name

    def _unranked(self, row: int) -> tuple[bool, bool, int]:
        """The order where nothing ranks: as figures have it, what failed a check last, random maps behind that."""
        position = well_known_first(self.run.methods).index(self.infos[row])
        return self.infos[row].baseline, row in self.failed, position

    def measured(self) -> Iterable[MethodEvidence]:
        """Methods that have maps, in the order of the ranking, each followed by those with the same maps."""
        twins = {group[0]: group[1:] for group in self.groups}
        for row in self.first:
            yield self._method(row, self.ranking.standings[row])
            for twin in twins.get(row, ()):
                standing = Standing.FAILED if twin in self.failed else self.ranking.standings[row]
                because = reason(self.numbers, self.run, row, twin)
                yield replace(self._method(twin, standing), same_as=self.labels[row], same_because=because)

    def unmeasured(self) -> Iterable[MethodEvidence]:
        """Methods without a map, with the reason."""
        measured = {method for method, _ in self.numbers.rows}
        reasons = {gap.method: gap.reason for gap in self.run.not_applicable}
        for info in self.run.methods:
            if info.name not in measured:
                why = reasons.get(info.name) or self.numbers.missing.get(info.name, "")
                standing = Standing.NOT_APPLICABLE if why else Standing.UNKNOWN
                yield MethodEvidence(info.name, "", standing, not_applicable=why)

    def _method(self, row: int, standing: Standing) -> MethodEvidence:
        method, layer = self.numbers.rows[row]
        forward, backward = self.numbers.passes[method, layer]
        measures = {
            comparison.metric.name: MeasureOfMethod(
                rounded(value),
                _rounded(comparison.differences[row]),
                _rounded(self.ranking.behind[row]) if comparison is self.ranked_by else None,
            )
            for comparison in self.comparisons
            if (value := comparison.values[row]) is not None
        }
        for name in self.tests.images():
            if values := self.tests.of(name, (method, layer)):
                measures[name] = MeasureOfMethod(rounded(self.bootstrap.interval(values)))
        return MethodEvidence(
            method, layer, standing, measures, checks=self.checks.get(row, ()), forward=forward, backward=backward
        )

    def measures(self) -> tuple[MeasureEvidence, ...]:
        """How many images count on each measure, and why others don't; tests that explain again follow."""
        left_out = self.numbers.left_out
        names = [(comparison.metric.name, comparison.images) for comparison in self.comparisons]
        names += self.tests.images().items()
        return tuple(MeasureEvidence(name, images, left_out.get(name, {})) for name, images in names)

    def is_recommended(self, row: int) -> bool:
        """Whether it is as faithful as the best, and lies on the object more than chance where that is known."""
        return self.ranking.leads(row) and localized(self.checks[row])

    def is_avoided(self, row: int) -> bool:
        """Whether it failed a check, is worse than a random map, or no better and surely behind the best."""
        standing = self.ranking.standings[row]
        no_better = standing in (Standing.CHANCE, Standing.POSSIBLY_WORSE) and self.ranking.is_behind(row)
        return no_better or standing in (Standing.FAILED, Standing.WORSE)


def labels(rows: Sequence[Row]) -> list[str]:
    """What lists call each row: the method, with its layer where the run has the method at several."""
    count = Counter(method for method, _ in rows)
    return [f"{method}@{layer}" if count[method] > 1 else method for method, layer in rows]


def rounded(interval: Interval) -> Interval:
    """Five significant digits, which don't depend on the processor."""
    low, high = (None if end is None else float(f"{end:.5g}") for end in (interval.low, interval.high))
    return Interval(float(f"{interval.mean:.5g}"), low, high, interval.images)


def _rounded(interval: Interval | None) -> Interval | None:
    return None if interval is None else rounded(interval)
