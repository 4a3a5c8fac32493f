"""The measures that perturbation curves give, and which of them ranks methods."""

from dataclasses import dataclass
from itertools import product

from cnnvis_report.evaluation.baselines import BASELINES
from cnnvis_report.evaluation.score_range import LOG_ODDS, PROBABILITY
from cnnvis_report.records.metrics import MetricInfo

INSERTION, DELETION, GAIN = "insertion", "deletion", "relevance_gain"
TITLES = {INSERTION: "Insertion", DELETION: "Deletion", GAIN: "Relevance gain"}
SOURCES = {
    INSERTION: "Petsiuk et al. 2018, arXiv:1806.07421",
    DELETION: "Petsiuk et al. 2018, arXiv:1806.07421",
    GAIN: "Blücher et al. 2024, arXiv:2401.06654: symmetric relevance gain",
}


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


# The measure that ranks methods, chosen by docs/evidence-benchmark.md. The budget `quick` measures its curves alone.
RANKING = Measure(GAIN, "mean", PROBABILITY)
MEASURES = tuple(
    Measure(kind, picture, score)
    for picture, score, kind in product(BASELINES, (PROBABILITY, LOG_ODDS), (GAIN, INSERTION, DELETION))
)
QUICK = tuple(
    measure
    for measure in MEASURES
    if measure.baseline == RANKING.baseline and set(measure.curves) <= set(RANKING.curves)
)
