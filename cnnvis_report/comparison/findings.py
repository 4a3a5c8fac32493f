"""What changed, in the sentences of the first screen."""

from collections.abc import Iterator

import numpy as np

from cnnvis_report.comparison.columns import Column
from cnnvis_report.evidence import words
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.comparison import ComparedMethod, Comparison, ComparisonFinding, Median, PairedAccuracy
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.scores import ScoreKind

LEVEL = 0.05  # of McNemar's test, below which a difference is called one
NAMED = 3  # images
LARGEST = {
    ScoreKind.SEGMENTATION: "The class of the largest region changed",
    ScoreKind.DETECTION: "The class of the box with the highest score changed",
}
LEAST = 0.005  # of a movement that is said, in two decimals


class FindingWriter:
    """Says what changed from the first run to each later one."""

    def __init__(self, comparison: Comparison) -> None:
        self.runs, self.paired, self.images = comparison.runs, comparison.paired, comparison.images
        self.methods, self.movement = comparison.methods, comparison.movement
        self._apart = [Column() for _ in self.paired]  # values of the first output
        self._farthest: list[list[tuple[float, str]]] = [[] for _ in self.paired]  # maps of images that moved most
        self._extremes = [(-1.0, "")] * len(self.paired)
        for image in self.images:
            self._look_at(image)

    def _look_at(self, image: ComparedImage) -> None:
        """Note what sentences say of single images."""
        first, *others = (prediction.value for prediction in image.predictions)
        for later, value in enumerate(others):
            if first is not None and value is not None:
                self._apart[later].add(abs(value - first))
                self._extremes[later] = max(self._extremes[later], (abs(value - first), image.name))
            distance = image.movement[later] if image.movement else None
            if distance is not None and distance >= LEAST:
                candidates = [*self._farthest[later], (distance, image.name)]
                self._farthest[later] = sorted(candidates, key=lambda entry: (-entry[0], entry[1]))[:NAMED]

    def findings(self) -> Iterator[ComparisonFinding]:
        """The sentences, most wanted first, of each later run in turn."""
        for later in range(len(self.paired)):
            parts = {
                "Accuracy": self._accuracy(later),
                "Predictions": self._predictions(later),
                "Attention": self._attention(later),
                "Relevance in the mask": self._mask(later),
                "Confidence": self._calibration(later),
            }
            for topic, text in parts.items():
                if text:
                    of_run = f"{self.runs[later + 1].name}: " if len(self.paired) > 1 else ""
                    yield ComparisonFinding(topic, f"{of_run}{text}")

    def _accuracy(self, later: int) -> str:
        """Both accuracies, their difference, and whether chance explains it."""
        if not self.runs[0].kind.judged:
            return ""
        first, other, paired = self.runs[0].accuracy, self.runs[later + 1].accuracy, self.paired[later]
        if first is None or other is None or paired.difference is None or paired.p_value is None:
            return (
                f"Not known: none of the {words.counted(len(self.images), 'compared image')} has a label that is known."
            )
        verdict = self._verdict(paired)
        return (
            f"{_percent(first.mean)} → {_percent(other.mean)}: {_points(paired.difference)}, {verdict} "
            f"(McNemar {_p(paired.p_value)}, n = {paired.images:,}).{words.little(paired.images)}"
        )

    def _verdict(self, paired: PairedAccuracy) -> str:
        if paired.p_value is not None and paired.p_value < LEVEL:
            return "better" if paired.fixed > paired.broken else "worse"
        return "no difference beyond chance"

    def _predictions(self, later: int) -> str:
        """How many images were fixed and broken; without labels, how many predictions changed."""
        paired, kind = self.paired[later], self.runs[0].kind
        if not kind.has_classes:
            return self._values(later)
        if paired.difference is None:
            what = LARGEST.get(kind, "Changed")
            return f"{what} on {paired.changed:,} of {words.counted(len(self.images), 'image')}."
        other = paired.changed - paired.fixed - paired.broken
        more = f"; {other:,} misclassified by both, as different classes" if other > 0 else ""
        return f"{words.counted(paired.fixed, 'image')} fixed, {paired.broken:,} broken{more}."

    def _values(self, later: int) -> str:
        """How far the values of the first output lie apart."""
        values = self._apart[later].values
        if not len(values):
            return ""
        most, name = self._extremes[later]
        middle = float(np.median(values))
        return (
            f"Values of {self.images[0].predictions[0].name} differ by {words.single(middle)} in the median image, by "
            f"{words.single(most)} at most ({name})."
        )

    def _attention(self, later: int) -> str:
        """How far maps moved in the median image, and on which images most."""
        movement = self.movement[later]
        if movement is None:
            return ""
        names = words.listed([f"{name} ({_number(value)})" for value, name in self._farthest[later]])
        where = f"; most on {names}" if names else ""
        return (
            f"Maps moved by {_number(movement.median)}{_ends(movement)} in the median image "
            f"(1 − rank correlation over {words.counted(len(self._explaining), 'method')}: 0 is the same order of "
            f"positions, 1 an unrelated one){where}.{words.little(movement.images)}"
        )

    def _mask(self, later: int) -> str:
        """How the share of relevance in the mask changed, of the method that stands for the run and of all."""
        measured = [method for method in self._explaining if method.mask_energy_difference]
        known = [method for method in measured if method.mask_energy_difference[later] is not None]
        if not known:
            return ""
        lead = max(known, key=lambda method: method.info.prominence)
        first, other, difference = lead.mask_energy[0], lead.mask_energy[later + 1], lead.mask_energy_difference[later]
        assert first is not None and other is not None and difference is not None  # it is known
        signs = [_sign(method.mask_energy_difference[later]) for method in known]
        return (
            f"{_percent(first.mean)} → {_percent(other.mean)} of the positive relevance of {lead.title} lies in the "
            f"ground-truth mask: {_points(difference)} (n = {difference.images:,}); it falls for {signs.count(-1)}, "
            f"rises for {signs.count(1)} of {words.counted(len(known), 'method')}.{words.little(difference.images)}"
        )

    def _calibration(self, later: int) -> str:
        first, other = self.runs[0].calibration_error, self.runs[later + 1].calibration_error
        if first is None or other is None:
            return ""
        return f"Calibration error (ECE) {_percent(first)} → {_percent(other)}."

    @property
    def _explaining(self) -> list[ComparedMethod]:
        return [method for method in self.methods if not method.info.baseline and any(method.moved)]


def _sign(difference: Interval | None) -> int:
    """1 where an interval lies above 0, −1 where it lies below, 0 elsewhere."""
    if difference is None or difference.low is None or difference.high is None:
        return 0
    return (difference.low > 0) - (difference.high < 0)


def _percent(share: float) -> str:
    return words.single(share, percent=True)


def _points(difference: Interval) -> str:
    return words.difference(difference, percent=True)


def _number(value: float) -> str:
    return words.number(value, 2)


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {words.number(value, 3)}"


def _ends(median: Median) -> str:
    return "" if median.low is None or median.high is None else f" [{_number(median.low)}, {_number(median.high)}]"
