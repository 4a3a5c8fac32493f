"""What changed between runs of the same images, as plain data: the first run beside one to five later ones.

Everything that is said of "each run" stands in the order of `Comparison.runs`; everything that is said of "each later
run" compares it with the first one, in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import MetricInfo
from cnnvis_report.records.scores import ScoreKind


@dataclass(frozen=True)
class Median:
    """A median over images with its 95% interval.

    median: over the images that count.
    low: lower end of the interval; None where there are too few images for one.
    high: its upper end.
    images: how many images count.
    """

    median: float
    low: float | None
    high: float | None
    images: int


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared.

    name: what sentences and columns call it: the name of its folder, told apart where two are called the same.
    title: of its report.
    network: the network's name.
    images: how many images it has, compared or not.
    fingerprint: of the run, 32 hexadecimal digits.
    kind: what its scores mean.
    accuracy: over the compared images with a label; None without any.
    top5: the same, of the label among the five highest scores; None where there are five classes or fewer.
    calibration_error: the expected one, from 0 to 1, over the same images; None without any.
    brier_score: the mean squared distance of the probability of the predicted class from 1 where it is right and from
        0 where it is wrong, over the same images; None without any.
    faithfulness: the measure of faithfulness that ranks its methods; empty where nothing was measured.
    localization: the measure of localization; empty without masks.
    measures: by the measure's name and the method's, as `Comparison.methods` names it: means over the run's images.
    """

    name: str
    title: str
    network: str
    images: int
    fingerprint: str
    kind: ScoreKind
    accuracy: Interval | None = None
    top5: Interval | None = None
    calibration_error: float | None = None
    brier_score: float | None = None
    faithfulness: str = ""
    localization: str = ""
    measures: dict[str, dict[str, Interval]] = field(default_factory=dict)


@dataclass(frozen=True)
class PairedAccuracy:
    """A later run beside the first one, on the compared images that have a label the networks know.

    images: how many these are.
    difference: of the accuracies, later minus first, with a paired bootstrap interval; None without such an image.
    fixed: how many the first run misclassifies and the later one classifies correctly.
    broken: how many the first run classifies correctly and the later one misclassifies.
    p_value: of McNemar's exact two-sided test that both are equally likely; None without such an image.
    changed: of all compared images, how many have another predicted class.
    """

    images: int
    difference: Interval | None
    fixed: int
    broken: int
    p_value: float | None
    changed: int


@dataclass(frozen=True)
class ComparedClass:
    """A class that compared images are labeled with.

    name: of the class.
    images: how many compared images are labeled with it.
    correct: how many of them each run gets right.
    fixed: by later run, how many the first run misclassifies and the later one classifies correctly.
    broken: by later run, how many the first run classifies correctly and the later one misclassifies.
    """

    name: str
    images: int
    correct: tuple[int, ...]
    fixed: tuple[int, ...]
    broken: tuple[int, ...]


@dataclass(frozen=True)
class ComparedMethod:
    """A method whose maps are compared.

    key: its name, with @ and the layer where the runs have it at several layers: the key of everything by method.
    info: what a reader has to know of it, as the first run has it.
    layers: the layer that it reads in each run; empty where it reads none.
    moved: of each later run, the median over images; None where no two maps could be compared.
    mask_energy: of each run, the mean share of positive relevance in the mask; None without masks.
    mask_energy_difference: of each later run, later minus first, on the same images; None without masks.
    measure_differences: by measure and later run, later minus first, over the images on which both runs measured it.
    """

    key: str
    info: MethodInfo
    layers: tuple[str, ...]
    moved: tuple[Median | None, ...] = ()
    mask_energy: tuple[Interval | None, ...] = ()
    mask_energy_difference: tuple[Interval | None, ...] = ()
    measure_differences: dict[str, tuple[Interval | None, ...]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """As pages write it, with the layer where the key has one."""
        layer = self.key.partition("@")[2]
        return f"{self.info.title} at {layer}" if layer else self.info.title


@dataclass(frozen=True)
class Unshared:
    """What a run has and not all others do.

    run: its position in `Comparison.runs`.
    count: how many there are.
    names: the first of them.
    """

    run: int
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class ComparisonFinding:
    """A sentence of the first screen.

    topic: such as "Accuracy", "Predictions", "Attention".
    text: what was measured, with its figures.
    """

    topic: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """Runs of the same images, side by side.

    runs: two to six.
    paired: of each later run.
    images: those that all runs have, in the order of the first run; of a stored comparison, read when asked for.
    classes: those that compared images are labeled with, most broken images first.
    methods: those that all runs have, in the order of the first run.
    movement: of each later run, the median over images of how far their maps moved; None without maps.
    metrics: the measures that any run has, in the order of the columns.
    only: by "images", "classes", "methods" and "layers", what some runs have and not all do.
    findings: what changed, in sentences.
    notices: what a reader has to know before trusting the comparison, a sentence each.
    title: of its pages.
    """

    title: str
    runs: tuple[ComparedRun, ...]
    paired: tuple[PairedAccuracy, ...]
    images: Sequence[ComparedImage] = ()
    classes: tuple[ComparedClass, ...] = ()
    methods: tuple[ComparedMethod, ...] = ()
    movement: tuple[Median | None, ...] = ()
    metrics: tuple[MetricInfo, ...] = ()
    only: dict[str, tuple[Unshared, ...]] = field(default_factory=dict)
    findings: tuple[ComparisonFinding, ...] = ()
    notices: tuple[str, ...] = ()

    def method(self, key: str) -> ComparedMethod:
        """The compared method of a key."""
        return next(method for method in self.methods if method.key == key)
