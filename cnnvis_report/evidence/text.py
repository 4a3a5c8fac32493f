"""What a reader may conclude of a run, and what its evidence can't tell, in sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.evidence.measurements import UNDEFINED
from cnnvis_report.evidence.method_checks import RANDOMIZATION, UNDECIDED, outcome
from cnnvis_report.evidence.statistics import FEWEST
from cnnvis_report.records.evidence import Check, Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.run import RunRecord

MOST_NAMED = 4  # methods in a sentence
FEW = 16  # images below which only large differences show


@dataclass(frozen=True)
class Text:
    """What to use, what to avoid, and why."""

    evidence: Evidence
    run: RunRecord

    def sentences(self) -> Iterable[str]:
        """All of it, a sentence or two each, what to use first."""
        by_label = {words.label(method, self.evidence): method for method in self.evidence.methods}
        if self.evidence.recommended:
            yield self._use([by_label[name] for name in self.evidence.recommended])
        elif self.evidence.faithfulness:
            yield self._nothing()
        for name in self.evidence.avoid:
            yield self._avoid(by_label[name])
        for method in self.evidence.methods:
            twins = [twin for twin in self.evidence.methods if twin.same_as == words.label(method, self.evidence)]
            if twins and not method.same_as:
                yield self._same(method, twins)

    def _use(self, methods: Sequence[MethodEvidence]) -> str:
        first, *others = methods
        images = words.counted(self._ranked(first).images, "image")
        sentence = f"Use {self._title(first)}: {self._score(first)} above a random map on {images}."
        if others:
            listed = words.listed([f"{self._title(method)} ({self._score(method, named=False)})" for method in others])
            verb = "is" if len(others) == 1 else "are"
            sentence += f" {listed} {verb} not distinguishable from it."
        return sentence

    def _nothing(self) -> str:
        """Why no method is recommended."""
        standings = {method.standing for method in self.evidence.methods}
        name = self._measure()
        if not standings - {Standing.UNKNOWN, Standing.REFERENCE, Standing.NOT_APPLICABLE}:
            return f"No method is recommended: there are too few images to compare {name} with that of a random map."
        if Standing.BEST in standings:
            return "No method is recommended: none that is faithful lies on the object more than a random map does."
        rows = [method for method in self.evidence.methods if not method.same_as]
        possibly = [method for method in rows if method.standing is Standing.POSSIBLY_BETTER]
        if possibly:
            return self._nothing_sure(possibly)
        return f"No method is recommended: none that passes its checks has a better {name} than a random map."

    def _nothing_sure(self, methods: Sequence[MethodEvidence]) -> str:
        """Why none of several that may be better than a random map is recommended."""
        titles = [self._title(method) for method in methods]
        named = (
            titles if len(titles) <= MOST_NAMED else [*titles[: MOST_NAMED - 1], f"{len(titles) - MOST_NAMED + 1} more"]
        )
        images = words.counted(self._ranked(methods[0]).images, "image")
        are = "is" if len(titles) == 1 else "are"
        return (
            f"No method is recommended: on {images}, none that passes its checks is surely better than a random map; "
            f"{words.listed(named)} {are} possibly better."
        )

    def _avoid(self, method: MethodEvidence) -> str:
        reasons = [check.reason for check in method.failures]
        if method.standing is Standing.WORSE:
            reasons.append(f"worse than a random map ({self._score(method)} from one)")
        elif method.standing in (Standing.CHANCE, Standing.POSSIBLY_WORSE):
            best = next(other for other in self.evidence.methods if other.standing is Standing.BEST)
            behind = method.measures[self.evidence.faithfulness].behind
            assert behind is not None, "what is avoided so is compared with the best"
            reasons.append(
                f"{method.standing} ({self._score(method)} from one), and behind "
                f"{self._title(best)} by {words.interval(behind)}"
            )
        return f"Avoid {self._title(method)}: {'; '.join(reasons)}."

    def _same(self, method: MethodEvidence, twins: Sequence[MethodEvidence]) -> str:
        reasons = {twin.same_because for twin in twins}
        if len(reasons) == 1:
            verb = "gives" if len(twins) == 1 else "give"
            names = words.listed([self._title(twin) for twin in twins])
            return f"{names} {verb} the map of {self._title(method)}: {reasons.pop()}."
        listed = "; ".join(f"{self._title(twin)}, {twin.same_because}" for twin in twins)
        return f"The same maps as {self._title(method)}: {listed}."

    def _title(self, method: MethodEvidence) -> str:
        return words.title(self.run, words.label(method, self.evidence))

    def _measure(self) -> str:
        return words.within_sentence(words.metric(self.run, self.evidence.faithfulness).title)

    def _ranked(self, method: MethodEvidence) -> Interval:
        difference = method.measures[self.evidence.faithfulness].difference
        assert difference is not None, "a method without one isn't ranked"
        return difference

    def _score(self, method: MethodEvidence, *, named: bool = True) -> str:
        interval = words.interval(self._ranked(method))
        return f"{self._measure()} {interval}" if named else interval


def limits_of(evidence: Evidence, run: RunRecord) -> Iterable[str]:
    """What this evidence can't tell, a sentence each."""
    if not evidence.images:
        yield "Localization alone was measured, on images with a mask; --metrics quick measures faithfulness too."
    elif evidence.images < FEWEST:
        are = "is" if evidence.images == 1 else "are"
        few = f"{words.counted(evidence.images, 'image')} {are} too few for an interval"
        more = "; --metrics quick measures more" if evidence.images < run.images else ""
        yield f"Nothing is ranked: {few}, {FEWEST} are needed{more}."
    elif not evidence.faithfulness:
        yield from _unranked(evidence)
    for measure in evidence.measures:
        if measure.name == evidence.faithfulness and FEWEST <= measure.images < FEW:
            yield f"{measure.images} images tell large differences only; with more, verdicts may become sharper."
    if 0 < evidence.images < run.images:
        yield f"{evidence.images} of {run.images} images were measured."
    if not evidence.localization:
        yield "Localization isn't known: no image has a ground-truth mask of the class that is explained."
    yield from _left_out(evidence, run)
    yield from _together(evidence, run)
    yield from _untested(evidence, run)
    if not 0 < evidence.images < FEWEST:  # what so few images can't decide is said once, of all of them
        yield from _undecided(evidence, run)


def _left_out(evidence: Evidence, run: RunRecord) -> Iterable[str]:
    """Images that tell nothing, by the reason, with all measures for which it holds."""
    measures: dict[tuple[str, int], list[str]] = {}
    for measure in evidence.measures:
        for reason, count in measure.left_out.items():
            if reason == UNDEFINED and not (measure.images or run.network.kind.judged):
                continue  # a measure of probabilities, where scores are none
            measures.setdefault((reason, count), []).append(words.metric(run, measure.name).title)
    for (reason, count), titles in measures.items():
        yield f"{words.counted(count, 'image')} left out of {words.listed(titles)}: {reason[:1].lower()}{reason[1:]}."


def _untested(evidence: Evidence, run: RunRecord) -> Iterable[str]:
    """Methods that could be recommended but weren't explained again with random weights."""
    tested = [method for method in evidence.methods if any(check.name == RANDOMIZATION for check in method.checks)]
    judged = (Standing.BEST, Standing.COMPARABLE, Standing.BETTER, Standing.POSSIBLY_BETTER, Standing.CHANCE)
    names = [
        words.title(run, words.label(method, evidence))
        for method in evidence.methods
        if method.standing in judged and not method.same_as and method not in tested
    ]
    if names:
        verb = "wasn't" if len(names) == 1 else "weren't"
        yield f"{words.listed(names)} {verb} tested on random weights."


def _together(evidence: Evidence, run: RunRecord) -> Iterable[str]:
    """Methods whose own interval lies above 0, which isn't enough for a statement on all methods together."""
    rows = [method for method in evidence.methods if method.standing is not Standing.REFERENCE and method.measures]
    names = []
    for method in rows:
        if method.standing is Standing.POSSIBLY_BETTER:
            names.append(words.title(run, words.label(method, evidence)))
    if names:
        lies = "its interval lies" if len(names) == 1 else "their intervals lie"
        yield (
            f"{words.listed(names)} may be better than a random map: {lies} above 0, but not at the level that "
            f"{words.counted(len(rows), 'method')} judged together ask for."
        )


def _undecided(evidence: Evidence, run: RunRecord) -> Iterable[str]:
    """Checks that aren't decided: of a single method as they read, of several at once."""
    alike: dict[tuple[str, bool, int], list[tuple[str, Check]]] = {}
    for method in evidence.methods:
        for check in method.checks:
            if check.passed is not None or method.same_as or method.standing is Standing.FAILED:
                continue
            title, value = words.title(run, words.label(method, evidence)), check.value
            if value is None or outcome(check) != UNDECIDED:
                yield f"{title}: {check.reason}."
            else:
                alike.setdefault((check.name, value.low is None, value.images), []).append((title, check))
    for (name, too_few, images), entries in alike.items():
        if len(entries) == 1:
            yield f"{entries[0][0]}: {entries[0][1].reason}."
            continue
        why = "the interval reaches over the limit"
        if too_few:
            why = f"{words.counted(images, 'image')} {'is' if images == 1 else 'are'} too few, {FEWEST} are needed"
        yield f"The {name} check isn't decided for {words.listed([title for title, _ in entries])}: {why}."


def _unranked(evidence: Evidence) -> Iterable[str]:
    """Why no measure ranks although there are enough images."""
    if not evidence.random_maps:
        yield "Nothing is ranked: no random map was measured to compare with."
    else:
        yield f"Nothing is ranked: fewer than {FEWEST} of the {evidence.images} images tell good maps from bad ones."
