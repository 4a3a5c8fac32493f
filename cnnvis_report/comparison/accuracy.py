"""How well each run predicts, and which predictions changed."""

from array import array
from dataclasses import dataclass, field
from statistics import fmean

from cnnvis_report.evidence.proportions import wilson
from cnnvis_report.records.compared_images import ComparedImage, Flip
from cnnvis_report.records.comparison import ComparedClass
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.predictions import TOP, PredictionCounter, prediction_of_image
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.run_folder import StoredRun


def judged(image: ComparedImage) -> bool:
    """Whether every run's prediction is right or wrong."""
    return all(prediction.correct is not None for prediction in image.predictions)


@dataclass
class RunAccuracy:
    """Counts one run's predictions for the images that are judged."""

    run: StoredRun
    counter: PredictionCounter = field(default_factory=PredictionCounter)
    images: int = 0
    right: int = 0
    squares: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, image: ImageRecord) -> None:
        """Count one judged image in."""
        self.images += 1
        self.right += bool(image.correct)
        if image.kind is not ScoreKind.SIGMOID:
            prediction = prediction_of_image(image)
            self.counter.add(prediction)
            self.squares.append((prediction.probability - prediction.correct) ** 2)

    @property
    def accuracy(self) -> Interval | None:
        """The share that is right; of several labels, all of them and no others."""
        return _share(self.right, self.images)

    @property
    def top5(self) -> Interval | None:
        """The share whose label is among the five highest scores; None where that says nothing."""
        says = self.run.record.network.classes > TOP
        return _share(self.counter.in_top, self.counter.images) if says else None

    @property
    def calibration_error(self) -> float | None:
        """The expected calibration error; None without an image, and where an image can have several labels."""
        return self.counter.result().calibration_error if self.counter.images else None

    @property
    def brier_score(self) -> float | None:
        """The mean squared distance between confidence and correctness."""
        return fmean(self.squares) if self.squares else None


class ClassCounts:
    """Counts the judged images of a label."""

    def __init__(self, runs: int) -> None:
        self.images = 0
        self.correct = [0] * runs
        self.fixed, self.broken = [0] * (runs - 1), [0] * (runs - 1)

    def add(self, image: ComparedImage) -> None:
        """Count one image in."""
        self.images += 1
        for run, prediction in enumerate(image.predictions):
            self.correct[run] += bool(prediction.correct)
        for later, flip in enumerate(image.flips):
            self.fixed[later] += flip is Flip.FIXED
            self.broken[later] += flip is Flip.BROKEN

    def result(self, name: str) -> ComparedClass:
        """The class with its counts."""
        return ComparedClass(name, self.images, tuple(self.correct), tuple(self.fixed), tuple(self.broken))


def _share(successes: int, trials: int) -> Interval | None:
    return Interval(successes / trials, *wilson(successes, trials), trials) if trials else None
