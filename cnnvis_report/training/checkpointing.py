"""What a training leaves: the best model so far and where it stands, snapshots, and the model that it comes to."""

from pathlib import Path

import torch
from torch import Tensor

from cnnvis_report.data.split_names import is_part
from cnnvis_report.models.architectures import SMALL, Architecture
from cnnvis_report.models.trained_file import TrainedModel, read_with_more, write_trained
from cnnvis_report.records.training import ClassCounts, Score, Snapshot, TrainingRecord
from cnnvis_report.store.files.atomic import unlink
from cnnvis_report.training.config import TrainConfig
from cnnvis_report.training.epochs import EpochProgress, Epochs
from cnnvis_report.training.model import Trainee
from cnnvis_report.training.output_paths import part_of, snapshot_of
from cnnvis_report.training.progress import TrainProgress
from cnnvis_report.training.resume import (
    FINISHED,
    RESUME,
    changes,
    find_resume_state,
    fingerprint_of,
    parts_of,
    resume,
    resume_state,
)
from cnnvis_report.training.splits import Data
from cnnvis_report.training.state import Hyperparameters, TrainState


class Checkpointing(EpochProgress):
    """Writes what a training leaves, while others are told too.

    Args:
        path: of the model; None writes nothing.
        device: that it is trained on.
    """

    def __init__(
        self,
        config: TrainConfig,
        path: Path | None,
        data: Data,
        trainee: Trainee,
        hyperparameters: Hyperparameters,
        device: torch.device,
        progress: TrainProgress,
    ) -> None:
        self.config, self.path, self.data, self.progress = config, path, data, progress
        self.trainee, self.hyperparameters = trainee, hyperparameters
        self.snapshots: list[Snapshot] = []
        self.batch_done = progress.batch_done  # type: ignore[method-assign]
        self._settings = settings_table(config, trainee, hyperparameters)
        texts = {**self._settings, "the folder": self._data, "snapshots": ",".join(map(str, config.checkpoint_epochs))}
        self._parts = {} if path is None else parts_of(data, trainee, texts, device)
        self._epochs: Epochs | None = None

    def finished(self) -> TrainedModel | None:
        """The model that this training comes to, where an earlier start has come to it."""
        if self.path is None or not self.path.is_file():
            return None
        stored = read_with_more(self.path)
        if stored is None or stored[1].get(FINISHED) != fingerprint_of(self._parts) or not self._all_there(stored[0]):
            return None
        unlink(part_of(self.path))
        self.progress.finished(self.path)
        return stored[0]

    def begun(self, epochs: Epochs, state: TrainState) -> None:
        """Go on from where an earlier start was stopped."""
        self._epochs = epochs
        earlier = find_resume_state(part_of(self.path)) if self.path is not None else None
        if earlier is None or self.path is None:
            return
        changed = changes(earlier.content.get("parts"), self._parts)
        if not changed and not self._all_there(earlier.model):
            changed = ["a snapshot is gone"]
        if changed:
            self.progress.anew(part_of(self.path), changed)
            return
        resume(earlier, epochs, state, part_of(self.path))
        self.snapshots = list(earlier.model.training.snapshots)
        self.progress.resumed(len(state.history))

    def epoch_done(self, state: TrainState) -> None:
        """Keep where the training stands, and a snapshot before that: what is kept is known to be there."""
        number = state.history[-1].number
        if self.path is not None and number in self.config.checkpoint_epochs:
            snapshot = snapshot_of(self.path, number)
            write_trained(snapshot, self.model(state, None))
            self.snapshots.append(Snapshot(number, snapshot.name))
        if self.path is not None and self._epochs is not None:
            more = {RESUME: resume_state(self._epochs, state, self._parts)}
            write_trained(part_of(self.path), self.model(state, None), weights=state.weights, more=more)
        self.progress.epoch_done(state)

    def keep(self, model: TrainedModel, *, finished: bool) -> None:
        """Write the model; where the training stands is kept as long as it isn't at its end."""
        if self.path is not None:
            write_trained(self.path, model, more={FINISHED: fingerprint_of(self._parts)} if finished else {})
            if finished:
                unlink(part_of(self.path))

    def model(self, state: TrainState, tested: Score | None) -> TrainedModel:
        """The model with the weights that the network has now, and all that is known of its training."""
        chosen, data = state.chosen, self.data
        record = TrainingRecord(
            data=self._data,
            settings=self._settings,
            counts=_counts(data, self.hyperparameters.weights),
            history=tuple(state.history),
            best_epoch=state.best,
            stopped=state.stopped,
            validation=Score(chosen.validation_accuracy, chosen.validation_loss, len(data.validation)),
            test=tested,
            snapshots=tuple(self.snapshots),
            skipped=len(data.skipped),
        )
        seen = frozenset(item.content for item in data.training.items)
        return TrainedModel(
            self.trainee.network, self.trainee.architecture, data.training.preprocessing, data.classes, record, seen
        )

    @property
    def _data(self) -> str:
        """What the folder of images is called; one that is a part of a set, with the folder of the set."""
        folder = self.config.images.resolve()
        name = self.config.images.name or folder.name
        return f"{folder.parent.name}/{name}" if is_part(name) and folder.parent.name else name

    def _all_there(self, model: TrainedModel) -> bool:
        """Whether the snapshots of a training are."""
        return self.path is not None and all(
            snapshot_of(self.path, snapshot.epoch).is_file() for snapshot in model.training.snapshots
        )


def settings_table(
    config: TrainConfig, trainee: Trainee, hyperparameters: Hyperparameters
) -> dict[str, str | int | float | bool | None]:
    """What decides the result, as the report states it; no folder of this machine is in it."""
    randomized = {"data randomization": "yes"} if config.data_randomization else {}
    return {
        "arch": _words(trainee.architecture),
        "initialized from": trainee.origin,
        "frozen": ", ".join(trainee.frozen[:1]) or "nothing",
        "validation split": config.val_split,
        "epochs": config.epochs,
        "batch size": config.batch_size,
        "learning rate": hyperparameters.rate,
        "augment": config.augment,
        "class weights": config.class_weights,
        "patience": config.patience,
        "seed": config.seed,
        **randomized,
    }


def _words(architecture: Architecture) -> str:
    head = " with a convolution, global average pooling and a linear layer" if architecture.head == "cam" else ""
    blocks = f", {architecture.blocks} blocks" if architecture.name == SMALL else ""
    return f"{architecture.name}{blocks}{head}"


def _counts(data: Data, weights: Tensor | None) -> tuple[ClassCounts, ...]:
    training, validation, test = (data.counts(part) for part in (data.training, data.validation, data.test))
    counted = [1.0] * len(data.classes) if weights is None else [round(float(weight), 4) for weight in weights]
    return tuple(
        ClassCounts(name, training[index], validation[index], test[index], counted[index])
        for index, name in enumerate(data.classes)
    )
