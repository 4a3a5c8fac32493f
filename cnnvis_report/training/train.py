"""From folders of raw images to a file with a trained model."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cnnvis_report.architectures import SMALL, Architecture
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.loading.images import ImageSet
from cnnvis_report.loading.trained import TrainedModel, write_trained
from cnnvis_report.records_training import ClassCounts, Score, Snapshot, TrainingRecord
from cnnvis_report.training.augment import augmentation
from cnnvis_report.training.data import Data, read_data
from cnnvis_report.training.fit import BY_HAND, Listener, Progress, Recipe, fit, score
from cnnvis_report.training.networks import Source, Trainee, find_source, make_trainee
from cnnvis_report.training.places import check_places, part_of, snapshot_of

MOST_RATE = 10


@dataclass(frozen=True)
class Order:
    """What a user asks for; the names are those of the command line.

    test: a folder with images that nothing is chosen by. weights: a file, "none", or None for what is usual.
    channels: "auto", "1" or "3". rate: None takes what suits the network. balance: rare classes count more.
    patience: epochs without a better one before it stops, 0 for never. snapshots: epochs that are kept.
    """

    images: Path
    output: Path
    arch: str = SMALL
    weights: str | None = None
    test: Path | None = None
    split: float = 0.2
    size: str | None = None
    channels: str = "auto"
    epochs: int = 25
    batch_size: int = 32
    rate: float | None = None
    augment: str = "light"
    head: str = "linear"
    freeze: str | None = None
    balance: bool = False
    patience: int = 10
    seed: int = 0
    snapshots: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trained:
    """What came of a training: the file, and the images that the network should be judged by, none of them trained on.

    judged: the test set, or the images for validation where there is none. interrupted: by Ctrl-C.
    """

    model: TrainedModel
    judged: ImageSet
    interrupted: bool


class Spectator(Listener):
    """Told how a training comes about, from the first file on; this one says nothing of it."""

    def reading(self, files: int) -> None:
        """So many files are being read."""

    def file_read(self, name: str) -> None:
        """One more was read."""

    def ready(self, data: Data, trainee: Trainee, recipe: Recipe) -> None:
        """All is there; training begins."""


def train(order: Order, device: torch.device, spectator: Spectator) -> Trained:
    """Read, split, train, choose the best epoch by the validation images, test, and write the model.

    While it goes on, the best so far is in a file beside, `model.part.pt` for `model.pt`, a model like any.

    Raises:
        BadRequest: the request can't be carried out. RunFailed: nothing came of it.
        OSError: the disk is full, say; what was written stays whole.
    """
    path = checked_output(order)
    source = find_source(order.arch, order.weights)
    data = read_data(
        order.images,
        order.test,
        share=order.split,
        seed=order.seed,
        known=source.preprocessing,
        size=order.size,
        grey=_grey(order, source),
        begin=spectator.reading,
        advance=spectator.file_read,
    )
    model, interrupted = train_on(order, data, source, device, spectator, path)
    write_trained(path, model)
    part_of(path).unlink(missing_ok=True)
    judged = data.test if data.test is not None else data.validation
    return Trained(model, ImageSet(judged.items), interrupted)


def train_on(
    order: Order, data: Data, source: Source, device: torch.device, spectator: Spectator, path: Path | None = None
) -> tuple[TrainedModel, bool]:
    """Train on images that are read; what the order says of folders doesn't count.

    Args:
        path: beside it the best so far is kept meanwhile, and snapshots; None keeps none.

    Returns:
        The model, and whether Ctrl-C ended its training.

    Raises:
        BadRequest: the network doesn't fit the pictures. RunFailed: nothing came of it.
    """
    data = _normalised(data, source)
    with torch.random.fork_rng():
        torch.manual_seed(order.seed)
        trainee = make_trainee(source, data.training.preprocessing, len(data.classes), order.head, order.freeze)
        recipe = _recipe(order, data, trainee)
        spectator.ready(data, trainee, recipe)
        keeping = _Keeping(order, path, data, trainee, recipe, spectator)
        progress = fit(trainee.network, data.training, data.validation, recipe, device, keeping)
    if not progress.best:
        raise RunFailed("Stopped before the first epoch was through: there is nothing to keep.")
    tested = score(trainee.network, data.test, device, order.batch_size) if data.test is not None else None
    return keeping.model(progress, tested), progress.stopped == BY_HAND


def checked_output(order: Order) -> Path:
    """Where the model goes, before an hour is spent on it.

    Raises:
        BadRequest: nothing can be written there, or something is there that no training has left.
    """
    path = order.output
    check_places(path, order.snapshots)
    if order.rate is not None and not 0 < order.rate <= MOST_RATE:
        raise BadRequest(f"--lr {order.rate:g}: give a learning rate above 0 and at most {MOST_RATE}, such as 0.003.")
    late = [epoch for epoch in order.snapshots if not 1 <= epoch <= order.epochs]
    if late:
        raise BadRequest(f"--snapshots {late[0]}: there are epochs 1 to {order.epochs}.")
    return path


class _Keeping(Listener):
    """Writes the best model so far, and snapshots, while others are told too."""

    def __init__(
        self, order: Order, path: Path | None, data: Data, trainee: Trainee, recipe: Recipe, spectator: Spectator
    ) -> None:
        self.order, self.path, self.data, self.trainee, self.recipe = order, path, data, trainee, recipe
        self.spectator = spectator
        self.snapshots: list[Snapshot] = []
        self.batch_done = spectator.batch_done  # type: ignore[method-assign]

    def epoch_done(self, progress: Progress) -> None:
        """Keep what is worth keeping."""
        number = progress.history[-1].number
        if self.path is not None and progress.best == number:
            write_trained(part_of(self.path), self.model(progress, None))
        if self.path is not None and number in self.order.snapshots:
            kept = snapshot_of(self.path, number)
            write_trained(kept, self.model(progress, None))
            self.snapshots.append(Snapshot(number, kept.name))
        self.spectator.epoch_done(progress)

    def model(self, progress: Progress, tested: Score | None) -> TrainedModel:
        """The model with the weights that the network has now, and all that is known of its training."""
        chosen, data = progress.chosen, self.data
        record = TrainingRecord(
            data=self.order.images.name or self.order.images.resolve().name,
            settings=_settings(self.order, self.trainee, self.recipe),
            counts=_counts(data, self.recipe.weights),
            history=tuple(progress.history),
            best=progress.best,
            stopped=progress.stopped,
            validation=Score(chosen.validation_accuracy, chosen.validation_loss, len(data.validation)),
            test=tested,
            snapshots=tuple(self.snapshots),
            skipped=len(data.skipped),
        )
        seen = frozenset(item.content for item in data.training.items)
        return TrainedModel(
            self.trainee.network, self.trainee.architecture, data.training.preprocessing, data.classes, record, seen
        )


def _grey(order: Order, source: Source) -> bool | None:
    if order.channels not in ("auto", "1", "3"):
        raise BadRequest(f"--channels {order.channels}: give auto, 1 (grey) or 3 (colour).")
    if source.name != SMALL:
        if order.channels == "1":
            raise BadRequest(f"--channels 1: {source.name} reads 3 channels; grey pictures are given to it as colour.")
        return False
    return None if order.channels == "auto" else order.channels == "1"


def _normalised(data: Data, source: Source) -> Data:
    """With the constants that the weights expect, or those of the training pictures."""
    known = data.training.preprocessing
    if source.preprocessing is not None:
        mean, std = source.preprocessing.mean, source.preprocessing.std
    else:
        mean, std = data.training.constants()
    chosen = replace(known, mean=mean, std=std)
    test = None if data.test is None else data.test.read_as(chosen)
    return replace(data, training=data.training.read_as(chosen), validation=data.validation.read_as(chosen), test=test)


def _balance(data: Data) -> Tensor:
    """[classes]: what an image counts, such that each class counts alike, and one on average over the images."""
    counts = torch.tensor(data.counts(data.training), dtype=torch.float32)
    return counts.sum() / (len(counts) * counts)


def _recipe(order: Order, data: Data, trainee: Trainee) -> Recipe:
    weights = _balance(data) if order.balance else None
    size = data.training.preprocessing.size or (0, 0)
    rate = order.rate if order.rate is not None else trainee.rate
    augment = augmentation(order.augment, size)
    return Recipe(order.epochs, order.batch_size, rate, order.patience, augment, weights, trainee.frozen)


def _settings(order: Order, trainee: Trainee, recipe: Recipe) -> dict[str, str | int | float | bool | None]:
    """What decides the result, as the report states it; no folder of this machine is in it."""
    return {
        "arch": _words(trainee.architecture),
        "begun with": trainee.origin,
        "frozen": ", ".join(trainee.frozen[:1]) or "nothing",
        "split": order.split,
        "epochs": order.epochs,
        "batch size": order.batch_size,
        "learning rate": recipe.rate,
        "augment": order.augment,
        "balanced": order.balance,
        "patience": order.patience,
        "seed": order.seed,
    }


def _words(architecture: Architecture) -> str:
    head = " with a convolution, global average pooling and a linear layer" if architecture.head == "gap" else ""
    blocks = f", {architecture.blocks} blocks" if architecture.name == SMALL else ""
    return f"{architecture.name}{blocks}{head}"


def _counts(data: Data, weights: Tensor | None) -> tuple[ClassCounts, ...]:
    training, validation, test = (data.counts(each) for each in (data.training, data.validation, data.test))
    counted = [1.0] * len(data.classes) if weights is None else [round(float(weight), 4) for weight in weights]
    return tuple(
        ClassCounts(name, training[index], validation[index], test[index], counted[index])
        for index, name in enumerate(data.classes)
    )
