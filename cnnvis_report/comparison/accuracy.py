"""How well each run predicts, and which predictions changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from cnnvis_report.evidence.paired import accuracy_difference, mcnemar
from cnnvis_report.evidence.proportions import wilson
from cnnvis_report.records.compared_images import ComparedImage, Flip
from cnnvis_report.records.comparison import ComparedClass, PairedAccuracy
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
    right: list[bool] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)

    def add(self, image: ImageRecord) -> None:
        """Count one judged image in."""
        self.right.append(bool(image.correct))
        if image.kind is not ScoreKind.SIGMOID:
            prediction = prediction_of_image(image)
            self.counter.add(prediction)
            self.squares.append((prediction.probability - prediction.correct) ** 2)

    @property
    def accuracy(self) -> Interval | None:
        """The share that is right; of several labels, all of them and no others."""
        return _share(sum(self.right), len(self.right))

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


def paired_accuracy(images: Sequence[ComparedImage], later: int) -> PairedAccuracy:
    """A later run, by its position among the later ones, beside the first."""
    flips = [image.flips[later] for image in images if judged(image)]
    fixed, broken = flips.count(Flip.FIXED), flips.count(Flip.BROKEN)
    changed = sum(image.predictions[0].name != image.predictions[later + 1].name for image in images)
    if not flips:
        return PairedAccuracy(0, None, 0, 0, None, changed)
    difference = accuracy_difference(fixed, broken, len(flips))
    return PairedAccuracy(len(flips), difference, fixed, broken, mcnemar(fixed, broken), changed)


def compared_classes(images: Sequence[ComparedImage]) -> tuple[ComparedClass, ...]:
    """The classes that judged images are labeled with, most broken images first."""
    by_label: dict[str, list[ComparedImage]] = {}
    for image in images:
        if judged(image) and image.label:
            by_label.setdefault(image.label, []).append(image)
    rows = [_class(name, labeled) for name, labeled in by_label.items()]
    return tuple(sorted(rows, key=lambda row: (-sum(row.broken), -sum(row.fixed), row.name)))


def _class(name: str, images: Sequence[ComparedImage]) -> ComparedClass:
    correct = zip(*([prediction.correct for prediction in image.predictions] for image in images), strict=True)
    flips = list(zip(*(image.flips for image in images), strict=True))
    return ComparedClass(
        name=name,
        images=len(images),
        correct=tuple(sum(map(bool, of_run)) for of_run in correct),
        fixed=tuple(of_run.count(Flip.FIXED) for of_run in flips),
        broken=tuple(of_run.count(Flip.BROKEN) for of_run in flips),
    )


def _share(successes: int, trials: int) -> Interval | None:
    return Interval(successes / trials, *wilson(successes, trials), trials) if trials else None
