"""Stage: a few images over the epochs of the training, where it left checkpoints."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import CnnVisError, told
from cnnvis_report.methods.tasks import DryRun, Task
from cnnvis_report.models.model import Training
from cnnvis_report.models.trained_file import plain_name, read_trained
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.planning.forecast import Spent
from cnnvis_report.pipeline.stages.explained_again import in_place_of
from cnnvis_report.progress import Progress
from cnnvis_report.records.training import Frame, SnapshotSeries, snapshot_key
from cnnvis_report.store.files.names import SNAPSHOTS
from cnnvis_report.store.writer import RunWriter

IMAGES = 6  # that are shown over the epochs

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Checkpoint:
    """The network after an epoch."""

    epoch: int
    network: nn.Module


@dataclass(frozen=True)
class Sample:
    """One image that is followed, with the class that is explained."""

    image: DecodedImage
    target: int

    @property
    def id(self) -> str:
        """The image's id."""
        return self.image.item.id

    def inputs(self, device: torch.device) -> Tensor:
        """[1, C, H, W]."""
        return self.image.picture.values.unsqueeze(0).to(device)


def snapshots(
    subject: Subject,
    images: ImageSet,
    training: Training | None,
    dry_run: DryRun,
    seed: int,
    writer: RunWriter,
    progress: Progress,
) -> tuple[SnapshotSeries, ...]:
    """Explain some images by the network of each checkpoint; nothing where the training left none.

    The maps go into the run folder. The last frame is of the network itself, after its best epoch.

    Args:
        images: those that are explained. dry_run: of the run's tasks, of which the quick ones are taken.
    """
    if training is None or not training.record.snapshots or not len(images) or not subject.meaning.kind.judged:
        return ()
    samples = _samples(subject, images)
    tasks, settings = _tasks(dry_run), BatchSettings(dry_run, seed=seed)
    frames: dict[str, list[Frame]] = {sample.id: [] for sample in samples}
    arrays: Arrays = {}
    for checkpoint in _checkpoints(subject, training, progress):
        progress.step(f"snapshot of epoch {checkpoint.epoch}")
        if not samples:
            break
        network = subject
        if checkpoint.network is not subject.network:
            network = in_place_of(subject, checkpoint.network, samples[0].inputs(subject.device))
        for sample in list(samples):
            frame = _frame(network, sample, tasks, settings, checkpoint.epoch, progress)
            if frame is None:
                samples.remove(sample)
                continue
            frames[sample.id].append(frame[0])
            arrays |= frame[1]
    writer.add_inspection(SNAPSHOTS, arrays)
    methods = tuple(task.name for task in tasks)
    return tuple(
        SnapshotSeries(sample.id, subject.classes[sample.target], sample.target, methods, tuple(frames[sample.id]))
        for sample in samples
    )


def snapshot_seconds(
    spent: Spent, training: Training | None, quick: Collection[str], images: int, classes: int
) -> float:
    """A forecast: quick methods for one class of a few images at each checkpoint."""
    if training is None:
        return 0.0
    return len(training.record.snapshots) * min(IMAGES, images) * spent.of(quick) / classes


def _tasks(dry_run: DryRun) -> list[Task]:
    return [task for task in dry_run.tasks if task.method.info.preset == "quick" and not task.layer]


def _samples(subject: Subject, images: ImageSet) -> list[Sample]:
    """Images spread over the set, each with its label's class, or else with the predicted one."""
    samples = []
    for item in evenly(images, IMAGES):
        image = read_item(item, subject.preprocessing)
        if not isinstance(image, DecodedImage):
            continue
        index = item.label.index if item.label is not None else None
        if index is None:
            with torch.no_grad():
                index = int(subject.forward(Sample(image, 0).inputs(subject.device)).argmax())
        samples.append(Sample(image, index))
    return samples


def _checkpoints(subject: Subject, training: Training, progress: Progress) -> Iterator[Checkpoint]:
    """The checkpoints that are there and belong to this network, in order, with the network itself among them."""
    best = training.record.best_epoch
    best_checkpoint = Checkpoint(best, subject.network)
    best_yielded = False
    for snapshot in sorted(training.record.snapshots, key=lambda snapshot: snapshot.epoch):
        if snapshot.epoch >= best and not best_yielded:
            best_yielded = True
            yield best_checkpoint
        if snapshot.epoch == best:
            continue
        network = _load(training, snapshot.file, progress)
        if network is not None and _same_shapes(network, best_checkpoint.network):
            yield Checkpoint(snapshot.epoch, network)
    if not best_yielded:
        yield best_checkpoint


def _load(training: Training, name: str, progress: Progress) -> nn.Module | None:
    """The network of a checkpoint beside the model's file; None, with a warning, where it isn't there."""
    path = training.folder / name if training.folder is not None and plain_name(name) else None
    try:
        trained = read_trained(path) if path is not None and path.is_file() else None
    except CnnVisError as error:
        progress.warn(f"The checkpoint {name} can't be used: {error}")
        return None
    if trained is None:
        progress.warn(f"The checkpoint {name} isn't beside the model; the snapshots go without it.")
        return None
    return trained.network


def _same_shapes(network: nn.Module, other: nn.Module) -> bool:
    shapes = [{name: value.shape for name, value in model.state_dict().items()} for model in (network, other)]
    return shapes[0] == shapes[1]


def _frame(
    subject: Subject,
    sample: Sample,
    tasks: Sequence[Task],
    settings: BatchSettings,
    epoch: int,
    progress: Progress,
) -> tuple[Frame, Arrays] | None:
    """What the network of an epoch predicts for an image, and its maps; None, with a warning, where it fails."""
    targets = torch.tensor([[sample.target]], device=subject.device)
    try:
        explained = explain_batch(subject, sample.inputs(subject.device), tasks, targets, settings)
    except Exception as error:  # the other images are worth a series without it
        if is_out_of_memory(error):
            raise
        progress.warn(f"{sample.image.item.name}: no snapshots ({told(error)}).", error)
        return None
    logits = explained.logits.float().cpu()
    probabilities = subject.probabilities(logits)
    maps: Arrays = {
        snapshot_key(sample.id, result.task.name, epoch): result.maps[0, 0].numpy()
        for (result,) in explained.results
        if result.maps is not None and bool(result.maps.isfinite().all())
    }
    predicted = subject.classes[int(logits[0].argmax())]
    frame = Frame(epoch, float(logits[0, sample.target]), float(probabilities[0, sample.target]), predicted)
    return frame, maps
