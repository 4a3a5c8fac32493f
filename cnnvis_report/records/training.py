"""How a network was trained, as plain data; no clock is in it, so that the same training gives the same bytes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One pass through the training images.

    number: from 1.
    loss: the mean loss on the training images, augmented, while the weights changed.
    accuracy: on the same, from 0 to 1.
    validation_loss: the mean loss on the validation images, after the epoch.
    validation_accuracy: on the same, from 0 to 1.
    rate: the learning rate of its last step.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    rate: float


@dataclass(frozen=True)
class ClassCounts:
    """How many images of a class were used for what.

    name: of the class.
    training: images to train on.
    validation: images to choose the epoch by.
    test: images held out, not used for selection.
    weight: of one image of the class in the loss.
    """

    name: str
    training: int
    validation: int
    test: int
    weight: float = 1.0


@dataclass(frozen=True)
class Score:
    """How the kept epoch does on a set of images.

    accuracy: from 0 to 1.
    loss: the mean loss.
    images: how many there are.
    """

    accuracy: float
    loss: float
    images: int


@dataclass(frozen=True)
class Snapshot:
    """The network after an epoch, kept in a file.

    epoch: its number, from 1.
    file: the name of the file, beside the model's.
    """

    epoch: int
    file: str


@dataclass(frozen=True)
class TrainingRecord:
    """A training from beginning to end; no clock is in it, so that the same training gives the same bytes.

    data: the name of the folder of images.
    settings: what was asked for, or chosen by the program, by name.
    counts: how many images of each class were used for what.
    history: the epochs, in order.
    best_epoch: the number of the epoch that was kept: highest validation accuracy, ties to the lower loss.
    stopped: why it ended before the last epoch; empty where it didn't.
    validation: how the kept epoch does on the validation images.
    test: how it does on the test images; None without a test set.
    snapshots: networks of earlier epochs that were kept.
    skipped: how many files couldn't be read.
    permuted: how a network that was trained on permuted labels does on these; None where none was trained.
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
    permuted: Score | None = None


@dataclass(frozen=True)
class Frame:
    """One image after one epoch.

    epoch: its number, from 1.
    logit: of the class that is shown.
    probability: of the class that is shown, from 0 to 1.
    predicted: the name of the class of the highest score.
    """

    epoch: int
    logit: float
    probability: float
    predicted: str


@dataclass(frozen=True)
class SnapshotSeries:
    """One image, explained after several epochs.

    image: its id.
    target: the name of the class that is shown.
    index: of the class, from 0.
    methods: the methods whose maps there are, in `inspection/snapshots.npz` as "IMAGE/METHOD/EPOCH".
    frames: one an epoch, in order.
    """

    image: str
    target: str
    index: int
    methods: tuple[str, ...]
    frames: tuple[Frame, ...]


def snapshot_key(image: str, method: str, epoch: int) -> str:
    """The name of an image's map after an epoch, in the arrays of the snapshots."""
    return f"{image}/{method}/{epoch}"
