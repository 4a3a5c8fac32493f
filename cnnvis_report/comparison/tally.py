"""What is counted of compared images one by one: how well each run predicts, and how far maps moved.

A few bytes of each image stay, the images don't.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np
import numpy.typing as npt

from cnnvis_report.comparison.columns import Column
from cnnvis_report.comparison.measures import MeasureDifferences, shared_metrics
from cnnvis_report.comparison.notices import differs
from cnnvis_report.evidence.paired import accuracy_difference, mcnemar
from cnnvis_report.evidence.statistics import Bootstrap, wilson
from cnnvis_report.records.compared_images import ComparedImage, Flip, TargetSource
from cnnvis_report.records.comparison import ComparedClass, ComparedMethod, Median, PairedAccuracy
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.predictions import TOP, PredictionCounter, prediction_of_image
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.run_folder import StoredRun

Exact = npt.NDArray[np.float64]
Intervals = tuple[Interval | None, ...]


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


@dataclass
class PairTally:
    """A later run beside the first."""

    fixed: int = 0
    broken: int = 0
    changed: int = 0

    def add(self, image: ComparedImage, later: int) -> None:
        """Count one image in."""
        self.changed += image.predictions[0].name != image.predictions[later + 1].name
        if judged(image):
            self.fixed += image.flips[later] is Flip.FIXED
            self.broken += image.flips[later] is Flip.BROKEN

    def result(self, images: int) -> PairedAccuracy:
        """What is known of the accuracies, over so many images."""
        if not images:
            return PairedAccuracy(0, None, 0, 0, None, self.changed)
        difference, p_value = accuracy_difference(self.fixed, self.broken, images), mcnemar(self.fixed, self.broken)
        return PairedAccuracy(images, difference, self.fixed, self.broken, p_value, self.changed)


class MethodTally:
    """How far a method's maps moved, and how much of them lies in the masks.

    images: that have its maps.
    """

    def __init__(self, method: ComparedMethod, runs: int) -> None:
        self.method, self.images = method, 0
        self.moved = [Column() for _ in range(runs - 1)]
        self.energies = [Column() for _ in range(runs)]  # of the images that have a mask

    def add(self, image: ComparedImage) -> None:
        """Count one image in."""
        self.images += self.method.key in image.keys
        for column, value in zip(self.moved, image.moved.get(self.method.key, ()), strict=False):
            column.add(value)
        if image.mask_energy:
            shares = image.mask_energy.get(self.method.key, (None,) * len(self.energies))
            for column, value in zip(self.energies, shares, strict=True):
                column.add(value)

    @property
    def energy_columns(self) -> Exact:
        """[images with a mask, runs + later runs]: the shares, and how those of later runs differ from the first's."""
        shares = np.stack([column.values for column in self.energies], axis=1)
        return np.concatenate([shares, shares[:, 1:] - shares[:, :1]], axis=1)


class Tally:
    """Everything that a comparison says of its images together.

    accuracies: of each run. own_targets: of how many images the compared maps explain each run's own prediction.
    by_name, other_masks: of how many the files differ, and the masks. metrics: the measures that any run has.
    """

    def __init__(self, of_runs: Sequence[StoredRun], methods: Sequence[ComparedMethod]) -> None:
        self.accuracies = [RunAccuracy(run) for run in of_runs]
        self.own_targets, self.by_name, self.other_masks = 0, 0, 0
        self._judged, self._masked = 0, 0
        self.runs = runs = len(of_runs)
        self._pairs = [PairTally() for _ in range(runs - 1)]
        self._movement = [Column() for _ in range(runs - 1)]
        self._methods = [MethodTally(method, runs) for method in methods]
        self._classes: dict[str, ClassCounts] = {}
        self.metrics = shared_metrics(of_runs)
        self._differences = MeasureDifferences(self.metrics, methods, runs)

    def add(self, image: ComparedImage, records: Sequence[ImageRecord]) -> None:
        """Count one image in, with its record in each run."""
        files, masks = differs(records)
        self.by_name, self.other_masks = self.by_name + files, self.other_masks + masks
        self.own_targets += image.target_source is TargetSource.OWN_PREDICTIONS
        self._masked += bool(image.mask_energy)
        for later, (pair, column) in enumerate(zip(self._pairs, self._movement, strict=True)):
            pair.add(image, later)
            column.add(image.movement[later])
        for method in self._methods:
            method.add(image)
        self._differences.add(records)
        if judged(image):
            self._judged += 1
            for accuracy, record in zip(self.accuracies, records, strict=True):
                accuracy.add(record)
            if image.label:
                self._classes.setdefault(image.label, ClassCounts(self.runs)).add(image)

    @property
    def paired(self) -> tuple[PairedAccuracy, ...]:
        """Of each later run."""
        return tuple(pair.result(self._judged) for pair in self._pairs)

    @property
    def movement(self) -> tuple[Median | None, ...]:
        """Of each later run, the median over images."""
        return tuple(column.median for column in self._movement)

    @property
    def classes(self) -> tuple[ComparedClass, ...]:
        """Those that judged images are labeled with, most broken images first."""
        rows = [counts.result(name) for name, counts in self._classes.items()]
        return tuple(sorted(rows, key=lambda row: (-sum(row.broken), -sum(row.fixed), row.name)))

    @property
    def methods(self) -> tuple[ComparedMethod, ...]:
        """The methods that have maps of the images, with their figures over these."""
        compared = [tally for tally in self._methods if tally.images]
        differences = self._differences.result()
        energies = self._energies(compared) if self._masked else [((), ()) for _ in compared]
        return tuple(
            replace(
                tally.method,
                moved=tuple(column.median for column in tally.moved),
                mask_energy=of_runs,
                mask_energy_difference=of_later,
                measure_differences=differences.get(tally.method.key, {}),
            )
            for tally, (of_runs, of_later) in zip(compared, energies, strict=True)
        )

    def _energies(self, tallies: Sequence[MethodTally]) -> list[tuple[Intervals, Intervals]]:
        """Of each method, the mean energy in the mask of each run, and how it differs from that of the first.

        All columns go through one bootstrap, which draws its resamples once.
        """
        intervals = Bootstrap().intervals(np.concatenate([tally.energy_columns for tally in tallies], axis=1))
        width = 2 * self.runs - 1
        rows = [tuple(intervals[start : start + width]) for start in range(0, len(intervals), width)]
        return [(row[: self.runs], row[self.runs :]) for row in rows]
