"""What a run produced, as plain data: frozen dataclasses that need numpy only.

The explaining side writes them, the report side reads them, and neither knows the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.identity import Identity
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.metrics import Evaluation, ImageMetrics, Precision
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.records.training import SnapshotSeries, TrainingRecord

Array = npt.NDArray[np.float32]
Option = str | int | float | bool
Note = str | int | float | bool
Setting = Union[Option, None, Sequence["Setting"], Mapping[str, "Setting"]]  # noqa: UP007 # what JSON can say, by its own name


class Sign(StrEnum):
    """Whether a map's values can speak against the class too."""

    SIGNED = "signed"
    POSITIVE = "positive"


class Kind(StrEnum):
    """What the values of a map belong to, and so its shape."""

    PIXEL = "pixel"  # every input channel of every pixel: C×H×W
    AREA = "area"  # every position of the input: H×W
    LAYER = "layer"  # every position of a layer, at the layer's own size: h×w


class Reduction(StrEnum):
    """How the channels of a pixel map become one value a pixel when it is shown."""

    SUM = "sum"
    ABS_MAX = "abs_max"


class Family(StrEnum):
    """The families of methods, in the order of a page's sections; a method may name one of its own, which follows."""

    CAM = "class activation maps"
    GRADIENT = "gradients"
    RELEVANCE = "relevance propagation"
    PERTURBATION = "perturbation"
    BASELINE = "baseline"


class Randomness(StrEnum):
    """What a method draws at random, always by the run's seed."""

    NONE = "none"
    SEED = "seed"  # the same draws for every image
    IMAGE = "image"  # draws of its own for every image, by the seed and the image's values


@dataclass(frozen=True)
class MethodInfo:
    """What a method says of itself: all that a page, a stage or a test has to know of it.

    options: its keyword-only parameters, with their defaults or, in a run, the values that were used.
    notes: phrases for what it states of a map (`Evidence.notes`), by name, such as "{} steps".
    class_agnostic: whether its map is the same for every class. baseline: whether it explains nothing and is there for
    the others to be compared with. prominence: of a run's methods, the one with the highest stands for them in the
    overview; the first of them where none has any.
    """

    name: str
    title: str
    family: str
    source: str
    sign: Sign
    kind: Kind
    reduction: Reduction
    color: bool
    preset: str
    summary: str
    text: str
    options: dict[str, Option]
    notes: dict[str, str] = field(default_factory=dict)
    randomness: Randomness = Randomness.NONE
    class_agnostic: bool = False
    baseline: bool = False
    prominence: int = 0

    @property
    def shown_sign(self) -> Sign:
        """The sign of the map as it is shown: an absolute maximum is never negative."""
        return Sign.POSITIVE if self.kind is Kind.PIXEL and self.reduction is Reduction.ABS_MAX else self.sign

    def shown(self, values: Array) -> Array:
        """One value a position: pixel maps C×H×W are reduced over channels, others H×W pass."""
        if values.ndim == 2:
            return values
        reduced = np.abs(values).max(axis=0) if self.reduction is Reduction.ABS_MAX else values.sum(axis=0)
        return np.asarray(reduced, dtype=np.float32)


@dataclass(frozen=True)
class ClassScore:
    """One class of one image: its index, name, score and probability.

    logit: the score, whatever quantity the network's scores are. probability: None where they are values.
    """

    index: int
    name: str
    logit: float
    probability: float | None


@dataclass(frozen=True)
class Label:
    """What an image is said to show; `index` is None where the network has no such class."""

    name: str
    index: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What one map cost and what speaks for it.

    forward, backward: passes per image spent for this method and class, shared ones included.
    notes: baseline, steps, coverage, residual, … as the method stated them.
    """

    forward: float
    backward: float
    notes: dict[str, Note] = field(default_factory=dict)


@dataclass(frozen=True)
class MapRecord:
    """One map: `key` is its name in the image's file of arrays; `layer` is empty where there is none."""

    key: str
    method: str
    layer: str
    target: int
    shape: tuple[int, ...]
    evidence: Evidence


@dataclass(frozen=True)
class NotApplicableRecord:
    """A map that isn't there, and why. `target` is None where the method failed for all classes."""

    method: str
    reason: str
    layer: str = ""
    target: int | None = None


@dataclass(frozen=True)
class ImageRecord:
    """One image of the run: what it is, what the network says of it, which maps there are.

    size, original_size: (height, width) as the network saw it and as it was stored. top: the five largest scores, of values
    the first five. label: the first of the labels, of which there are several where they don't exclude each other.
    predicted, label_scores: labels above 0.5, and the image's own where the network knows them; only where several can be right,
    and so are `scores`, those of all labels in order.
    mask_share: how much of the picture the mask of what decides the class covers; None where there is no mask.
    content: a digest of its file, and of its mask's, as they were explained.
    bare: whether it is said to bear none of the labels; only where several can be right.
    """

    id: str
    name: str
    size: tuple[int, int]
    original_size: tuple[int, int]
    label: Label | None
    top: tuple[ClassScore, ...]
    targets: tuple[ClassScore, ...]
    maps: tuple[MapRecord, ...]
    not_applicable: tuple[NotApplicableRecord, ...] = ()
    mask_fraction: float | None = None
    metrics: ImageMetrics | None = None
    kind: ScoreKind = ScoreKind.SOFTMAX
    labels: tuple[Label, ...] = ()
    predicted: tuple[ClassScore, ...] = ()
    label_scores: tuple[ClassScore, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def named(self) -> tuple[Label, ...]:
        """All its labels, known to the network or not."""
        return self.labels or ((self.label,) if self.label is not None else ())

    @property
    def known(self) -> tuple[int, ...]:
        """The classes that its labels are."""
        return tuple(label.index for label in self.named if label.index is not None)

    content: str = ""
    bare: bool = False

    @property
    def correct(self) -> bool | None:
        """Whether the first class is the label, or all labels and no others are above 0.5; None where nobody knows."""
        if not (self.known or self.bare) or not self.kind.judged:
            return None
        if self.kind is ScoreKind.SIGMOID:
            return {score.index for score in self.predicted} == set(self.known)
        return self.top[0].index in self.known

    @property
    def rank(self) -> int | None:
        """The best label's place among the top classes, from 1; None where none is among them."""
        return next((place for place, score in enumerate(self.top, start=1) if score.index in self.known), None)


@dataclass(frozen=True)
class Skipped:
    """A file that couldn't be used, and why; `content` is a digest of what it holds."""

    name: str
    reason: str
    content: str = ""


@dataclass(frozen=True)
class StoredFile:
    """What a file of the run folder is known by: its size, and a digest of its bytes in 64 hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class RunRecord:
    """A run without its images, which are read one by one.

    images: how many there are. not_defined: methods that aren't defined for this network, with the reason.
    passes_per_image: "forward" and "backward", how many the plan takes an image.
    evaluation: how maps were measured; None where they weren't. precision: of methods tried in bfloat16.
    inspection: what the layers hold; None where nobody looked.
    training: how the network was trained, where it was here; films: images over its epochs. trained_on: how many of the
    images were among those that it was trained on.
    predictions, label_predictions: to all images, where those of the run are a selection; the latter where labels don't
    exclude each other.
    notices: what a reader has to know before believing the results, a sentence each.
    identity: what decides the results but the images' contents.
    files: all files of arrays, by their names relative to the run folder.
    left_out: images that were explained and aren't among these, because what there was of them got damaged.
    provenance: the only place for clocks, versions and machines; all the rest repeats bit by bit.
    """

    fingerprint: str
    network: NetworkRecord
    methods: tuple[MethodInfo, ...]
    settings: dict[str, Setting]
    images: int
    skipped: tuple[Skipped, ...]
    not_applicable: tuple[NotApplicableRecord, ...]
    passes_per_image: dict[str, float]
    provenance: dict[str, Setting]
    evaluation: Evaluation | None = None
    precision: tuple[Precision, ...] = ()
    inspection: InspectionRecord | None = None
    training: TrainingRecord | None = None
    snapshots: tuple[SnapshotSeries, ...] = ()
    in_training_set: int = 0
    predictions: Predictions | None = None
    notices: tuple[str, ...] = ()
    label_predictions: LabelPredictions | None = None
    identity: Identity = field(default_factory=Identity)
    files: dict[str, StoredFile] = field(default_factory=dict)
    left_out: int = 0

    def method(self, name: str) -> MethodInfo:
        """The card of the method called `name`."""
        return next(card for card in self.methods if card.name == name)
