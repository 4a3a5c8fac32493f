"""Which methods are faithful to the model: the table of the overview, read from the record of the evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.method_checks import RANDOMIZATION, outcome
from cnnvis_report.records.evidence import Evidence, MeasureOfMethod, MethodEvidence, Standing
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.overview.effects import Axis, Bar, axis_of
from cnnvis_report.report.views.report import Report

OUTRIGHT = 4  # limits
VERDICTS = {Standing.BETTER: "better than random, behind the best", Standing.UNKNOWN: "not compared"}


@dataclass(frozen=True)
class Score:
    """What a method scored on a measure, in words; empty where there is nothing to say.

    images: how many count, where these are fewer than for the measure as a whole.
    """

    value: str = ""
    difference: str = ""
    images: str = ""

    @property
    def from_zero(self) -> bool:
        """Whether the value and the difference to a random map are one number, as where a random map scores 0."""
        return self.difference.removeprefix("+") == self.value


@dataclass(frozen=True)
class EvidenceRow:
    """A method, with others whose maps are the same.

    titles: of each, with the method's name and whether it failed a check. same: why they are the same. standing: of the
    one that stands for them. stated: that in words. recommended: whether it is. failed: the checks that failed.
    bar: the difference to a random map; None where there is none. randomization: its value in words, and its outcome.
    """

    titles: tuple[tuple[str, str, bool], ...]
    same: tuple[str, ...]
    standing: Standing
    stated: str
    recommended: bool
    failed: tuple[str, ...]
    bar: Bar | None
    faithfulness: Score
    localization: Score
    randomization: tuple[str, str]

    @property
    def method(self) -> str:
        """The name of the method that stands for the row."""
        return self.titles[0][1]

    @property
    def verdict(self) -> str:
        """Its standing in words."""
        return VERDICTS.get(self.standing, self.stated.replace("a random map", "random"))

    @property
    def look(self) -> str:
        """The class of its style."""
        return "leading" if self.recommended else self.standing.name.lower().replace("_", "-")


@dataclass(frozen=True)
class EvidenceTable:
    """The section of the overview.

    images: how many count for the ranking, or were measured where nothing is ranked. finding: why nothing is ranked;
    empty where there is a ranking. text, text_title: sentences, and what they are about.
    limits, more_limits: sentences that stand there at once, and that are folded away.
    ranking: what ranks; None where nothing does, and then there are no rows. localization: None without masks.
    localized: how many images count for it.
    randomized: whether any method was tested with random weights. absent: how many methods have no maps.
    from_zero: whether what ranks is 0 for random maps, so that values and differences are the same numbers.
    """

    images: int
    finding: str
    text: tuple[str, ...]
    text_title: str
    limits: tuple[str, ...]
    more_limits: tuple[str, ...]
    how: str
    ranking: MetricInfo | None
    localization: MetricInfo | None
    localized: int
    randomized: bool
    axis: Axis | None
    rows: tuple[EvidenceRow, ...]
    absent: int
    from_zero: bool


def evidence_table(report: Report) -> EvidenceTable | None:
    """Gather the section; None where nothing was measured."""
    evidence = report.evidence
    return None if evidence is None else _Table(report.run, evidence).table()


@dataclass(frozen=True)
class _Table:
    run: RunRecord
    evidence: Evidence

    def table(self) -> EvidenceTable:
        """All of it."""
        evidence = self.evidence
        counted = {measure.name: measure.images for measure in evidence.measures}
        ranking = self._info(evidence.faithfulness)
        finding = "" if ranking else next(iter(evidence.limits), "Nothing is ranked.")
        limits = [sentence for sentence in evidence.limits if sentence != finding]
        rows = tuple(self._rows()) if ranking else ()
        return EvidenceTable(
            images=counted.get(evidence.faithfulness, evidence.images),
            finding=finding,
            text=evidence.text,
            text_title="What to use, what to avoid, and why" if ranking else words.warnings_title(evidence),
            limits=tuple(limits[:OUTRIGHT]),
            more_limits=tuple(limits[OUTRIGHT:]),
            how=how_measured(self.run, evidence),
            ranking=ranking,
            localization=self._info(evidence.localization),
            localized=counted.get(evidence.localization, 0),
            randomized=any(method.check(RANDOMIZATION) for method in evidence.methods),
            axis=self._axis,
            rows=rows,
            absent=sum(method.standing is Standing.NOT_APPLICABLE for method in evidence.methods),
            from_zero=all(row.faithfulness.from_zero for row in rows),
        )

    def _info(self, name: str) -> MetricInfo | None:
        return words.metric(self.run, name) if name else None

    @property
    def _axis(self) -> Axis | None:
        measured = (method.measures.get(self.evidence.faithfulness) for method in self.evidence.methods)
        return axis_of([score.difference for score in measured if score and score.difference])

    def _rows(self) -> Iterator[EvidenceRow]:
        """A row for each group of equal maps."""
        groups: list[list[MethodEvidence]] = []
        for method in self.evidence.methods:
            if method.same_as:
                groups[-1].append(method)
            elif method.standing is not Standing.NOT_APPLICABLE:
                groups.append([method])
        yield from map(self._row, groups)

    def _row(self, group: Sequence[MethodEvidence]) -> EvidenceRow:
        first, axis = group[0], self._axis
        measured = first.measures.get(self.evidence.faithfulness)
        check = first.check(RANDOMIZATION)
        return EvidenceRow(
            titles=tuple((self._title(method), method.method, bool(method.failures)) for method in group),
            same=tuple(dict.fromkeys(method.same_because for method in group[1:])),
            standing=first.standing,
            stated=words.standing(first, self.evidence),
            recommended=words.label(first, self.evidence) in self.evidence.recommended,
            failed=tuple(self._failed(group)),
            bar=axis.bar(measured.difference) if axis and measured and measured.difference else None,
            faithfulness=self._score(self.evidence.faithfulness, measured),
            localization=self._score(self.evidence.localization, first.measures.get(self.evidence.localization)),
            randomization=(words.interval(check.value), outcome(check)) if check and check.value else ("", ""),
        )

    def _failed(self, group: Sequence[MethodEvidence]) -> Iterator[str]:
        """The checks that failed; of another method than the first, with its title."""
        for method in group:
            for check in method.failures:
                yield check.reason if method is group[0] else f"{self._title(method)}: {check.reason}"

    def _title(self, method: MethodEvidence) -> str:
        return words.title(self.run, words.label(method, self.evidence))

    def _score(self, name: str, measured: MeasureOfMethod | None) -> Score:
        if measured is None:
            return Score()
        percent = words.metric(self.run, name).percent
        images = next(measure.images for measure in self.evidence.measures if measure.name == name)
        return Score(
            words.interval(measured.value, percent=percent),
            words.difference(measured.difference, percent=percent) if measured.difference else "",
            f"n = {measured.value.images}" if measured.value.images != images else "",
        )


def how_measured(run: RunRecord, evidence: Evidence) -> str:
    """How the numbers came about, in sentences."""
    noun = fmt.column(run.network.kind)
    sentences = (
        f"Measured for the first {noun} of each image, localization for the {noun} of its label. Differences are to "
        f"the mean of {fmt.count(evidence.random_maps, 'random map')} of the same image; a positive one speaks for "
        f"the method. Where random maps come in pairs that mirror each other, their relevance gains have a mean of 0. "
        f"In brackets: {fmt.level(evidence.confidence)} intervals over images, from {fmt.number(evidence.resamples)} "
        f"bootstrap resamples (seed {evidence.seed}). A method counts as better or worse than a random map only where "
        f"that isn't chance among all methods together (Bonferroni), which is stricter than its own interval."
    )
    evaluation = run.evaluation
    if evaluation and evaluation.randomization_images:
        sentences += (
            f" Randomization test (ρ): rank correlation of magnitudes with the maps of a copy whose weights are "
            f"randomized from the last layer to the first, on "
            f"{fmt.count(evaluation.randomization_images, 'image')}; maps that depend on what was learned go to 0."
        )
    return sentences
