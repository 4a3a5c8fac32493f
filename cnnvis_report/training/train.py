"""From folders of raw images to a file with a trained model."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.models.architectures import SMALL
from cnnvis_report.models.trained_file import TrainedModel
from cnnvis_report.training.augment import augmentation
from cnnvis_report.training.checkpointing import Checkpointing
from cnnvis_report.training.config import TrainConfig
from cnnvis_report.training.epochs import score
from cnnvis_report.training.learning_rate import MOST_RATE
from cnnvis_report.training.loop import fit
from cnnvis_report.training.model import Source, Trainee, find_source, make_trainee
from cnnvis_report.training.output_paths import check_places, only_writer, part_of
from cnnvis_report.training.permuted_labels import fit_permuted
from cnnvis_report.training.progress import TrainProgress
from cnnvis_report.training.splits import Data, read_data
from cnnvis_report.training.state import BY_HAND, Hyperparameters

__all__ = ["TrainConfig", "TrainProgress", "Trained", "checked_output", "train", "train_on"]


@dataclass(frozen=True)
class Trained:
    """What came of a training: the file, and the images that the network should be judged by, none of them trained on.

    judged: the test set, or the images for validation where there is none. interrupted: by Ctrl-C. part: where a
    training that is stopped stands.
    """

    model: TrainedModel
    judged: ImageSet
    interrupted: bool
    part: Path


def train(config: TrainConfig, device: torch.device, progress: TrainProgress) -> Trained:
    """Read, split, train, choose the best epoch by the validation images, test, and write the model.

    While it goes on, the best so far is in a file beside, `model.part.pt` for `model.pt`, a model like any. Where the
    training stands is in it too: the same order goes on from there, to the same bytes on a CPU. A model that is what
    the order comes to is left as it is.

    Raises:
        BadRequest: the request can't be carried out, or another training writes there. RunFailed: nothing came of it.
        OSError: the disk is full, say; what was written stays whole.
    """
    path = checked_output(config)
    with only_writer(path):
        check_places(path, config.checkpoint_epochs)  # now that nobody else changes them
        return _train(config, path, device, progress)


def _train(config: TrainConfig, path: Path, device: torch.device, progress: TrainProgress) -> Trained:
    source = find_source(config.arch, config.weights)
    data = read_data(
        config.images,
        config.test,
        share=config.val_split,
        seed=config.seed,
        known=source.preprocessing,
        size=config.size,
        gray=_gray(config, source),
        begin=progress.reading,
        advance=progress.file_read,
    )
    model, interrupted = train_on(config, data, source, device, progress, path)
    judged = data.test if data.test is not None else data.validation
    return Trained(model, ImageSet(judged.items), interrupted, part_of(path))


def train_on(
    config: TrainConfig,
    data: Data,
    source: Source,
    device: torch.device,
    progress: TrainProgress,
    path: Path | None = None,
) -> tuple[TrainedModel, bool]:
    """Train on images that are read; what the order says of folders doesn't count.

    Args:
        path: where the model goes, and beside it the best so far meanwhile, and snapshots; None writes none.

    Returns:
        The model, and whether Ctrl-C ended its training.

    Raises:
        BadRequest: the network doesn't fit the pictures. RunFailed: nothing came of it.
    """
    data = _normalized(data, source)
    with torch.random.fork_rng():
        trainee = _trainee(config, data, source)
        hyperparameters = _hyperparameters(config, data, trainee)
        progress.ready(data, trainee, hyperparameters)
        checkpointing = Checkpointing(config, path, data, trainee, hyperparameters, device, progress)
        finished = checkpointing.finished()
        if finished is not None:
            return finished, False
        state = fit(trainee.network, data.training, data.validation, hyperparameters, device, checkpointing)
    if not state.best:
        raise RunFailed("Stopped before the first epoch was through: there is nothing to keep.")
    tested = score(trainee.network, data.test, device, config.batch_size) if data.test is not None else None
    model, interrupted = checkpointing.model(state, tested), state.stopped == BY_HAND
    checkpointing.keep(model, finished=not interrupted and not config.data_randomization)
    if interrupted or not config.data_randomization:
        return model, interrupted
    with torch.random.fork_rng():
        twin = _trainee(config, data, source)
        permuted = fit_permuted(twin.network, data.training, hyperparameters, config.seed, device, progress)
    if permuted is None:
        return model, True
    model = replace(model, permuted=twin.network, training=replace(model.training, permuted=permuted))
    checkpointing.keep(model, finished=True)
    return model, False


def _trainee(config: TrainConfig, data: Data, source: Source) -> Trainee:
    """The network before its training, the same for the same seed."""
    torch.manual_seed(config.seed)
    return make_trainee(source, data.training.preprocessing, len(data.classes), config.head, config.freeze)


def checked_output(config: TrainConfig) -> Path:
    """Where the model goes, before an hour is spent on it.

    Raises:
        BadRequest: nothing can be written there, or something is there that no training has left.
    """
    path = config.output
    check_places(path, config.checkpoint_epochs)
    if config.lr is not None and not 0 < config.lr <= MOST_RATE:
        raise BadRequest(f"--lr {config.lr:g}: give a learning rate above 0 and at most {MOST_RATE}, such as 0.003.")
    late = [epoch for epoch in config.checkpoint_epochs if not 1 <= epoch <= config.epochs]
    if late:
        raise BadRequest(f"--checkpoint-epochs {late[0]}: there are epochs 1 to {config.epochs}.")
    return path


def _gray(config: TrainConfig, source: Source) -> bool | None:
    if config.channels not in ("auto", "1", "3"):
        raise BadRequest(f"--channels {config.channels}: give auto, 1 (gray) or 3 (color).")
    if source.name != SMALL:
        if config.channels == "1":
            raise BadRequest(f"--channels 1: {source.name} reads 3 channels; gray pictures are given to it as color.")
        return False
    return None if config.channels == "auto" else config.channels == "1"


def _normalized(data: Data, source: Source) -> Data:
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


def _hyperparameters(config: TrainConfig, data: Data, trainee: Trainee) -> Hyperparameters:
    weights = _balance(data) if config.class_weights == "balanced" else None
    size = data.training.preprocessing.size or (0, 0)
    rate = config.lr if config.lr is not None else trainee.rate
    augment = augmentation(config.augment, size, deep=data.training.deep)
    return Hyperparameters(config.epochs, config.batch_size, rate, config.patience, augment, weights, trainee.frozen)
