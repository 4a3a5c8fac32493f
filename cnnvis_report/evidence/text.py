"""What a reader may conclude, in sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence import words
from cnnvis_report.records.evidence import Evidence, Interval, MethodEvidence, Standing
from cnnvis_report.records.run import RunRecord


def text_of(evidence: Evidence, run: RunRecord) -> tuple[str, ...]:
    """What to use, what to avoid, and why, a sentence or two each."""
    return tuple(_Text(evidence, run).sentences())


@dataclass(frozen=True)
class _Text:
    evidence: Evidence
    run: RunRecord

    def sentences(self) -> Iterable[str]:
        """All of them, what to use first."""
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
        if not standings & {Standing.BEST, Standing.CHANCE, Standing.WORSE, Standing.FAILED}:
            return f"No method is recommended: there are too few images to compare {name} with that of a random map."
        if Standing.BEST in standings:
            return "No method is recommended: none that is faithful lies on the object more than a random map does."
        return f"No method is recommended: none that passes its checks has a better {name} than a random map."

    def _avoid(self, method: MethodEvidence) -> str:
        reasons = [check.reason for check in method.failures]
        if method.standing is Standing.WORSE:
            reasons.append(f"worse than a random map ({self._score(method)} from one)")
        elif method.standing is Standing.CHANCE:
            best = next(other for other in self.evidence.methods if other.standing is Standing.BEST)
            behind = method.measures[self.evidence.faithfulness].behind
            assert behind is not None, "what is avoided so is compared with the best"
            reasons.append(
                f"not distinguishable from a random map ({self._score(method)} above it), and behind "
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
