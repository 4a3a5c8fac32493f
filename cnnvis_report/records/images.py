"""What a run produced for one image, as plain data."""

from dataclasses import dataclass, field

from cnnvis_report.records.metrics import ImageMetrics
from cnnvis_report.records.scores import ScoreKind

Note = str | int | float | bool


@dataclass(frozen=True)
class ClassScore:
    """One class of one image, with its score.

    index: of the class, from 0; of its second and third box in a detection, once and twice the number of classes more.
    name: of the class, and which of its boxes it is.
    logit: the score as the network gives it, in the unit that `NetworkRecord.quantity` says.
    probability: from 0 to 1; None where scores are values, or means over regions.
    area: the share of the picture that is predicted as the class, from 0 to 1; None but of a segmentation.
    """

    index: int
    name: str
    logit: float
    probability: float | None
    area: float | None = None

    @property
    def share(self) -> float | None:
        """From 0 to 1: the probability, or of a segmentation the area; None where the score is a value."""
        return self.probability if self.area is None else self.area


@dataclass(frozen=True)
class Label:
    """A ground-truth label of an image.

    name: as the folder or the list of labels has it.
    index: of the class, from 0; None where the network has no such class.
    """

    name: str
    index: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What one map cost, and what its method states of it.

    forward: forward passes per image for this method and class, shared ones included.
    backward: backward passes per image for this method and class; a fraction where classes share them.
    notes: baseline, steps, completeness error, … by name, as the method stated them.
    """

    forward: float
    backward: float
    notes: dict[str, Note] = field(default_factory=dict)


@dataclass(frozen=True)
class MapRecord:
    """One attribution map.

    key: the name of its array in the image's file of arrays.
    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    target: the class that it explains, from 0.
    shape: of the array: C×H×W, H×W or h×w, as `MethodInfo.kind` says; H×W of a pixel map that is kept reduced.
    evidence: what it cost, and what its method states of it.
    scale: the power of two by which a float16 array is multiplied to give the map, kept as "KEY/scale" too; None where
        the array is float32, and the map itself.
    colors: whether its color picture is kept beside it, uint8, as "KEY/color".
    """

    key: str
    method: str
    layer: str
    target: int
    shape: tuple[int, ...]
    evidence: Evidence
    scale: float | None = None
    colors: bool = False


@dataclass(frozen=True)
class NotApplicableRecord:
    """A map that there isn't, and why.

    method: the method's name; empty where it holds for all methods.
    reason: why, in words.
    layer: the layer that it would read; empty where it reads none.
    target: the class, from 0; None where it holds for all classes.
    """

    method: str
    reason: str
    layer: str = ""
    target: int | None = None


@dataclass(frozen=True)
class ImageRecord:
    """One image of the run: what it is, what the network predicts, and which maps there are.

    id: what its files and its page are called by.
    name: the file, relative to the folder that was given.
    size: (height, width) in pixels, as the network saw it.
    original_size: (height, width) in pixels, as it was stored.
    label: its ground truth, the first label where it has several; None without one.
    top: the five classes of the highest scores, highest first; of values, the first five outputs; of a segmentation,
        the five of the largest regions.
    targets: the classes that are explained, in the order of the pages.
    maps: the maps that there are.
    not_applicable: the maps that there aren't.
    mask_fraction: the fraction of the picture that its ground-truth mask covers; None without a mask.
    metrics: what its maps scored, but for localization; None where it wasn't measured.
    localization: what the maps of its label's class scored on metrics that need its ground-truth mask, without their
        agreement; None where there is no mask, or no such map.
    kind: what the scores mean.
    labels: all its labels where it has several; else empty.
    predicted: labels of a probability above 0.5, highest first; only where several can be right.
    label_scores: its own labels that the network knows; only where several can be right.
    scores: of all labels, in order; only where several can be right.
    content: a digest of its file, and of its mask's, as they were explained.
    bare: whether it is said to bear none of the labels; only where several can be right.
    reading: what of its file it is, such as a slice, and which values are black and white; empty where it has 8 bits.
    shard: the number of the shard that holds its arrays, from 0; None where they have a file of their own.
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
    localization: ImageMetrics | None = None
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
    reading: str = ""
    shard: int | None = None

    @property
    def correct(self) -> bool | None:
        """Whether the first class is the label, or all labels and no others are above 0.5; None where nobody knows."""
        if not (self.known or self.bare) or not self.kind.judged:
            return None
        if self.kind is ScoreKind.SIGMOID:
            return {score.index for score in self.predicted} == set(self.known)
        return self.top[0].index in self.known

    @property
    def first_maps(self) -> dict[str, MapRecord]:
        """By method, the map that is shown first: of the class that is explained first, at the first layer."""
        maps: dict[str, MapRecord] = {}
        for record in self.maps if self.targets else ():
            if record.target == self.targets[0].index:
                maps.setdefault(record.method, record)
        return maps

    @property
    def first_score(self) -> float:
        """The share or probability of the first class, else its logit; 0 where a detector finds nothing."""
        if not self.top:
            return 0.0
        first = self.top[0]
        return first.logit if first.share is None else first.share

    @property
    def rank(self) -> int | None:
        """The best label's place among the top classes, from 1; None where none is among them."""
        return next((rank for rank, score in enumerate(self.top, start=1) if score.index in self.known), None)
