"""What was measured of one image, as numbers that the gallery sorts by."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from cnnvis_report.evidence import words
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.metrics import ImageMetrics
from cnnvis_report.report.views.methods.method_order import BestMethod
from cnnvis_report.report.views.report import Report

AGREEMENT, MASS, FAITHFULNESS = "agreement", "mass", "faithfulness"  # in addresses
MASS_IN_MASK = "relevance_mass_accuracy"


@dataclass(frozen=True)
class ImageMeasures:
    """Reads the numbers of an image: how far its maps agree, and what the best method's map scored.

    best: the method that stands for the run; None without maps. ranking: the measure that ranks; empty where none does.
    compared: the methods whose agreement counts: the recommended ones, where there are two; else all but random maps
    and those with the maps of another.
    """

    best: BestMethod | None
    ranking: str
    titles: dict[str, str]
    compared: frozenset[str]

    def of(self, image: ImageRecord) -> dict[str, float]:
        """What is known of an image, by name."""
        values = {AGREEMENT: agreement(image.metrics, self.compared)}
        if self.best is not None:
            values[MASS] = _value(image.localization, self.best, MASS_IN_MASK)
            values[FAITHFULNESS] = _value(image.metrics, self.best, self.ranking)
        return {name: value for name, value in values.items() if value is not None}


def image_measures(report: Report) -> ImageMeasures:
    """Choose what can be read of the images of a run."""
    evidence = report.evidence
    recommended = report.best
    best = next(iter(recommended), None)
    ranking = evidence.faithfulness if evidence else ""
    titles = {AGREEMENT: "Agreement of the methods"}
    if best is not None:
        titles[MASS] = f"{words.metric(report.run, MASS_IN_MASK).title} ({best.title})"
        titles[FAITHFULNESS] = f"{words.metric(report.run, ranking).title}, {best.title}" if ranking else ""
    names = {method.name for method in recommended}
    return ImageMeasures(best, ranking, titles, frozenset(names if len(names) > 1 else _own_maps(report)))


def _own_maps(report: Report) -> set[str]:
    """The methods whose maps are neither random nor those of another method."""
    same = {verdict.method for verdict in report.verdicts if verdict.same_as}
    return {method.name for method in report.run.methods if not method.baseline} - same


def agreement(metrics: ImageMetrics | None, compared: frozenset[str]) -> float | None:
    """The median rank correlation of the maps of two methods of an image; None where no two of them vary."""
    values = list(_correlations(metrics, compared)) if metrics is not None else []
    return median(values) if values else None


def _correlations(metrics: ImageMetrics, compared: frozenset[str]) -> Iterator[float]:
    """Of each pair of maps once."""
    counted = [index for index, scores in enumerate(metrics.maps) if scores.method in compared]
    for number, row in enumerate(counted if metrics.agreement else ()):
        for column in counted[number + 1 :]:
            value = metrics.agreement[row][column]
            if value is not None:
                yield value


def _value(metrics: ImageMetrics | None, best: BestMethod, name: str) -> float | None:
    """What the best method's map scored on a measure; None where it didn't, or where the image tells nothing."""
    if metrics is None or name in metrics.blind:
        return None
    scores = (scores for scores in metrics.maps if scores.method == best.name and best.layer in ("", scores.layer))
    return next((scores.values[name] for scores in scores if name in scores.values), None)
