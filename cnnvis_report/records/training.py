"""How a network was trained, as plain data; no clock is in it, so that the same training gives the same bytes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One round through the training images.

    loss, accuracy: on them, as they were augmented, while the weights changed. validation_loss, validation_accuracy: on
    those for validation, afterwards. rate: the learning rate of its last step.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    rate: float


@dataclass(frozen=True)
class ClassCounts:
    """How many images of a class went where; `weight` is what one of them counted in the loss."""

    name: str
    training: int
    validation: int
    test: int
    weight: float = 1.0


@dataclass(frozen=True)
class Score:
    """Accuracy and mean loss of the chosen epoch on a set of so many images."""

    accuracy: float
    loss: float
    images: int


@dataclass(frozen=True)
class Snapshot:
    """The network after an epoch: a file beside the model's, by its name alone."""

    epoch: int
    file: str


@dataclass(frozen=True)
class TrainingRecord:
    """A training from beginning to end.

    data: what the folder of images is called. settings: as asked for, or as found out. best_epoch: the number of the epoch
    that was kept, the one of the highest validation accuracy; ties go to the lower loss. stopped: why it ended before
    the last epoch, empty where it didn't. test: None where there was no test set.
    """

    data: str
    settings: dict[str, str | int | float | bool | None]
    counts: tuple[ClassCounts, ...]
    history: tuple[Epoch, ...]
    best_epoch: int
    stopped: str
    validation: Score
    test: Score | None
    snapshots: tuple[Snapshot, ...] = ()
    skipped: int = 0


@dataclass(frozen=True)
class Frame:
    """An image after an epoch: the class that is shown, its logit and probability, and what the network saw in it."""

    epoch: int
    logit: float
    probability: float
    predicted: str


@dataclass(frozen=True)
class SnapshotSeries:
    """One image over the epochs; methods: whose maps there are, in the run folder's films by `snapshot_key`."""

    image: str
    target: str
    index: int
    methods: tuple[str, ...]
    frames: tuple[Frame, ...]


def snapshot_key(image: str, method: str, epoch: int) -> str:
    """The name of an image's map after an epoch, among those of the films."""
    return f"{image}/{method}/{epoch}"
