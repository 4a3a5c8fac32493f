"""The measures that perturbation curves give: their names, and from which range between its ends a curve tells."""

from dataclasses import dataclass
from itertools import product

from cnnvis_report.evaluation.baselines import BASELINES
from cnnvis_report.records.metrics import MetricInfo

PROBABILITY, LOG_ODDS = "probability", "log_odds"
INSERTION, DELETION, GAIN = "insertion", "deletion", "relevance_gain"
TITLES = {INSERTION: "Insertion", DELETION: "Deletion", GAIN: "Relevance gain"}
SOURCES = {
    INSERTION: "Petsiuk et al. 2018, arXiv:1806.07421",
    DELETION: "Petsiuk et al. 2018, arXiv:1806.07421",
    GAIN: "Blücher et al. 2024, arXiv:2401.06654: symmetric relevance gain",
}
# between image and baseline; below, an image can't tell maps apart
LEAST_RANGE = {PROBABILITY: 0.05, LOG_ODDS: 1.0}
LEAST_SHARE = 0.01  # the same for values of a regression, of the larger one's magnitude


@dataclass(frozen=True)
class Measure:
    """One way to judge maps: by a kind of curves, against one baseline, on one score of the class."""

    kind: str
    baseline: str
    score: str

    @property
    def name(self) -> str:
        """Such as "insertion_blur" on probabilities, or "insertion_blur_log_odds"."""
        return f"{self.kind}_{self.baseline}" + ("_log_odds" if self.score == LOG_ODDS else "")

    @property
    def curves(self) -> tuple[str, ...]:
        """The kinds of curves that it takes."""
        return (INSERTION, DELETION) if self.kind == GAIN else (self.kind,)

    @property
    def info(self) -> MetricInfo:
        """What a reader has to know of it."""
        score = "log-odds" if self.score == LOG_ODDS else "probability"
        what, picture = f"the class's {score}", BASELINES[self.baseline]
        description = {
            INSERTION: f"Area under {what} while the map's largest pixels enter {picture}",
            DELETION: f"Area under {what} while the map's largest pixels become those of {picture}",
            GAIN: f"Area between the insertion and the deletion curve of {what}, against {picture}",
        }[self.kind]
        if self.score == LOG_ODDS:
            description += ", as a share of the range from there to the image"
        how = self.baseline + (", log-odds" if self.score == LOG_ODDS else "")
        return MetricInfo(
            name=self.name,
            title=f"{TITLES[self.kind]} ({how})",
            description=description,
            higher_is_better=self.kind != DELETION,
            source=SOURCES[self.kind],
            ranks=(self.kind, self.baseline) == (RANKING.kind, RANKING.baseline)
            and self.score in (RANKING.score, LOG_ODDS),  # where a network has no probabilities
        )


# The measure that ranks methods. The budget `quick` measures its curves alone.
RANKING = Measure(GAIN, "blur", LOG_ODDS)
MEASURES = tuple(
    Measure(kind, picture, score)
    for picture, score, kind in product(BASELINES, (PROBABILITY, LOG_ODDS), (GAIN, INSERTION, DELETION))
)
QUICK = tuple(
    measure
    for measure in MEASURES
    if measure.baseline == RANKING.baseline and set(measure.curves) <= set(RANKING.curves)
)


def ends_apart(image: float, picture: float, score: str, *, has_probabilities: bool) -> bool:
    """Whether an image's score lies far enough above that of a baseline for curves between them to tell anything."""
    if has_probabilities:
        return image - picture >= LEAST_RANGE[score]
    return image - picture > LEAST_SHARE * max(abs(image), abs(picture))
