"""The verdict on every method of a run: what was measured of it, and what a reader may conclude, as plain data."""

from dataclasses import dataclass, field
from enum import StrEnum


class Standing(StrEnum):
    """What a method's evidence comes to, from the best to the worst."""

    BEST = "best"
    COMPARABLE = "not distinguishable from the best"
    BETTER = "better than a random map"
    POSSIBLY_BETTER = "possibly better than a random map"
    CHANCE = "not distinguishable from a random map"
    POSSIBLY_WORSE = "possibly worse than a random map"
    WORSE = "worse than a random map"
    FAILED = "failed a check"
    UNKNOWN = "not measured"
    REFERENCE = "reference"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Interval:
    """A mean over images with its bootstrap interval.

    mean: over the images that count.
    low: lower end of the 95% interval; None where there are too few images for one.
    high: its upper end.
    images: how many images count.
    """

    mean: float
    low: float | None
    high: float | None
    images: int


@dataclass(frozen=True)
class MeasureOfMethod:
    """What a method scored on one measure.

    value: its mean, in the measure's own unit.
    difference: to the random maps of the same images, turned so that a positive one speaks for the method; None where
        the measure has no random map to compare with.
    behind: how far it lies behind the best method, on the same images; None for the best, and where no measure ranks.
    """

    value: Interval
    difference: Interval | None = None
    behind: Interval | None = None


@dataclass(frozen=True)
class Check:
    """A check that a method has to pass before it is recommended.

    name: such as "randomization", "completeness", "constant".
    passed: whether it did; None where that isn't decided: too few images, or an interval on both sides of the limit.
    value: the number that decides; None where there is none.
    reason: what was seen, in a sentence that a reader understands alone.
    """

    name: str
    passed: bool | None
    value: Interval | None
    reason: str


@dataclass(frozen=True)
class MethodEvidence:
    """The verdict on one method.

    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    standing: what all of it comes to.
    measures: by the measures' names.
    checks: all that apply to it.
    same_as: the method whose row stands for it, because their maps are the same, named as in `Evidence.recommended`;
        empty where it stands for itself.
    same_because: why they are the same, where theory says so; else what was measured.
    not_applicable: why the network has no maps of it; empty where it has.
    forward: forward passes that a map takes; None where it has no map.
    backward: backward passes that a map takes.
    """

    method: str
    layer: str
    standing: Standing
    measures: dict[str, MeasureOfMethod] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    same_as: str = ""
    same_because: str = ""
    not_applicable: str = ""
    forward: float | None = None
    backward: float | None = None

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that it failed."""
        return tuple(check for check in self.checks if check.passed is False)

    def check(self, name: str) -> Check | None:
        """The check of that name; None where it doesn't apply."""
        return next((check for check in self.checks if check.name == name), None)


@dataclass(frozen=True)
class MeasureEvidence:
    """A measure over the set.

    name: the measure's.
    images: how many images count.
    left_out: how many were measured and tell nothing, by the reason.
    """

    name: str
    images: int
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """What was measured of all methods of a run, and what follows.

    images: how many images were measured.
    faithfulness: the name of the measure that ranks; empty where none does.
    localization: the name of the measure of localization that sentences cite; empty without masks.
    measures: those that were measured, in the order of the columns.
    methods: the verdicts by the measure that ranks, the highest mean first, then those that failed a check and those
        that weren't compared; methods whose maps are the same stand together.
    recommended: methods to use, best first, one of each group of equal maps: their names, with @ and the layer where
        the run has a method at several layers.
    avoid: methods not to use here, named in the same way.
    text: what to use, what to avoid and why, in sentences.
    limits: what this evidence can't tell, in sentences.
    random_maps: how many random maps each image was compared with.
    resamples: of the bootstrap.
    confidence: of the intervals.
    seed: of the random maps and of the bootstrap.
    """

    images: int
    faithfulness: str
    localization: str
    measures: tuple[MeasureEvidence, ...]
    methods: tuple[MethodEvidence, ...]
    recommended: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    random_maps: int = 0
    resamples: int = 0
    confidence: float = 0.95
    seed: int = 0
