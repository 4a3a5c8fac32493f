"""What a run produced, as plain data; its images are records of their own.

The explaining side writes them, the report side reads them, and neither knows the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union

from cnnvis_report.records.evidence import Evidence
from cnnvis_report.records.identity import Identity
from cnnvis_report.records.images import NotApplicableRecord
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.methods import MethodInfo, Option
from cnnvis_report.records.metrics import Evaluation, Precision
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.training import SnapshotSeries, TrainingRecord

Setting = Union[Option, None, Sequence["Setting"], Mapping[str, "Setting"]]  # noqa: UP007 # what JSON can say, by its own name


@dataclass(frozen=True)
class Skipped:
    """An image file that wasn't explained.

    name: the file, relative to the folder that was given.
    reason: why, in words.
    content: a digest of what it holds; empty where it can't be read.
    """

    name: str
    reason: str
    content: str = ""


class Keep(StrEnum):
    """What a run folder keeps of the arrays once the pages are written."""

    REDUCED = "reduced"  # one float16 value a position
    FULL = "full"  # every channel, in float32
    NONE = "none"  # no arrays


@dataclass(frozen=True)
class StoredFile:
    """What a file of the run folder is checked by.

    bytes: its size.
    sha256: a digest of its content, 64 hexadecimal digits.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True)
class RunRecord:
    """A run without its images, which are read one by one.

    fingerprint: a digest of all that decides the results, 32 hexadecimal digits.
    network: the network, and its layers.
    methods: the methods of the run, whether they apply or not.
    settings: what was asked for, by the names of the options.
    images: how many images there are.
    skipped: files that weren't explained.
    not_applicable: methods that don't apply to this network, with the reason.
    stages_not_applicable: stages of the run that gave nothing, with the reason.
    passes_per_image: "forward" and "backward": how many passes of the network an image takes, as planned.
    provenance: clocks, versions and machine; all else is the same when the run is repeated. "seconds" is the wall-clock
        time, "ideal_seconds" that of the forward and backward passes alone, "seconds_by_method" by method, "command"
        what gives the run again, "images_computed" how many images this took, "finished" when it ended; "device",
        "python", "system" and "versions" of packages say where, "chosen" has what was chosen for settings
        that were left open, "files" has digests of the images' files, so that those that are as they were aren't read
        again.
    evaluation: how maps were measured; None where they weren't.
    evidence: the verdict on every method; None where nothing was measured.
    precision: what bfloat16 changed, method by method.
    inspection: what the layers compute; None where they weren't inspected.
    training: how the network was trained; None where it wasn't trained by this program.
    snapshots: images explained after several epochs of the training.
    in_training_set: how many of the images the network was trained on.
    predictions: over all images with a label, where the run explains only some of them; else None.
    notices: what a reader has to know before trusting the results, a sentence each.
    label_predictions: the same as `predictions`, where an image can have several labels.
    identity: what decides the results, part by part, but the content of the images.
    files: all files of arrays, by their names relative to the run folder.
    left_out: images that were explained and aren't listed, because their files got damaged.
    keep: what is kept of the arrays.
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
    stages_not_applicable: tuple[tuple[str, str], ...] = ()
    evaluation: Evaluation | None = None
    evidence: Evidence | None = None
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
    keep: Keep = Keep.FULL

    @property
    def applicable(self) -> list[MethodInfo]:
        """The methods that the network has maps of."""
        missing = {gap.method for gap in self.not_applicable}
        return [method for method in self.methods if method.name not in missing]

    def method(self, name: str) -> MethodInfo:
        """What is known of the method called `name`."""
        return next(method for method in self.methods if method.name == name)
