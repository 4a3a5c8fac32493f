"""Images over the epochs of a training: what the network saw in them at each snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import CnnVisError, told
from cnnvis_report.methods.tasks import Task
from cnnvis_report.models.model import Training
from cnnvis_report.models.trained_file import plain_name, read_trained
from cnnvis_report.pipeline.explain_batch import BatchSettings, explain_batch
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.inspection_budget import FILMED
from cnnvis_report.progress import Progress
from cnnvis_report.records.training import Frame, SnapshotSeries, snapshot_key
from cnnvis_report.store.names import SNAPSHOTS
from cnnvis_report.store.writer import RunWriter


@dataclass(frozen=True)
class Stage:
    """The network after an epoch."""

    epoch: int
    network: nn.Module


@dataclass(frozen=True)
class Shot:
    """One image of the films, with the class that is shown."""

    ready: DecodedImage
    target: int


def snapshots(study: Study, plan: Plan, writer: RunWriter, progress: Progress) -> tuple[SnapshotSeries, ...]:
    """A film of each of some images; none where the training left no snapshots.

    The maps go into the run folder. The last frame is of the network itself, after its best epoch.
    """
    training = study.training
    judged = study.subject.meaning.kind.judged  # what was trained here tells classes apart
    if training is None or not training.record.snapshots or not writer.done or not judged:
        return ()
    shots = _shots(study, writer)
    tasks = [task for task in plan.dry_run.tasks if task.method.info.preset == "quick" and not task.layer]
    frames: dict[str, list[Frame]] = {shot.ready.item.id: [] for shot in shots}
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for stage in _stages(study, training, progress):
        progress.step(f"epoch {stage.epoch}")
        if not shots:
            break
        subject = _subject(study, stage, shots[0])
        for shot in list(shots):
            try:
                frame, maps = _frame(study, plan, subject, shot, tasks, stage.epoch)
            except Exception as error:  # the other images are worth a film without it
                if is_out_of_memory(error):
                    raise
                progress.warn(f"{shot.ready.item.name}: no film ({told(error)}).", error)
                shots.remove(shot)
                continue
            frames[shot.ready.item.id].append(frame)
            arrays |= maps
    writer.add_inspection(SNAPSHOTS, arrays)
    return tuple(
        SnapshotSeries(
            image=shot.ready.item.id,
            target=study.subject.classes[shot.target],
            index=shot.target,
            methods=tuple(task.name for task in tasks),
            frames=tuple(frames[shot.ready.item.id]),
        )
        for shot in shots
    )


def _shots(study: Study, writer: RunWriter) -> list[Shot]:
    """Images spread over the set, each with its label's class, or else with the one that is seen first."""
    items = [item for item in study.images if item.id in writer.done]
    count = min(FILMED, len(items))
    chosen = [items[place * len(items) // count] for place in range(count)]
    found = [read_item(item, study.subject.preprocessing) for item in chosen]
    shots = []
    for ready in (each for each in found if isinstance(each, DecodedImage)):
        label = ready.item.label
        index = label.index if label is not None else None
        if index is None:
            with torch.no_grad():
                index = int(study.subject.forward(_image(study, ready)).argmax())
        shots.append(Shot(ready, index))
    return shots


def _stages(study: Study, training: Training, progress: Progress) -> Iterator[Stage]:
    """The snapshots that are there and belong to this network, in order, with the network itself among them."""
    best = training.record.best_epoch
    own = Stage(best, study.subject.network)
    told = False
    for snapshot in sorted(training.record.snapshots, key=lambda each: each.epoch):
        if snapshot.epoch >= best and not told:
            told = True
            yield own
        if snapshot.epoch == best:
            continue
        network = _load(training, snapshot.file, progress)
        if network is not None and _alike(network, own.network):
            yield Stage(snapshot.epoch, network.to(study.device))
    if not told:
        yield own


def _load(training: Training, name: str, progress: Progress) -> nn.Module | None:
    """The network of a snapshot beside the model's file; None, with a warning, where it isn't there."""
    path = training.folder / name if training.folder is not None and plain_name(name) else None
    try:
        trained = read_trained(path) if path is not None and path.is_file() else None
    except CnnVisError as error:
        progress.warn(f"The snapshot {name} can't be used: {error}")
        return None
    if trained is None:
        progress.warn(f"The snapshot {name} isn't beside the model; the film goes without it.")
        return None
    return trained.network


def _alike(network: nn.Module, other: nn.Module) -> bool:
    shapes = [{name: value.shape for name, value in each.state_dict().items()} for each in (network, other)]
    return shapes[0] == shapes[1]


def _subject(study: Study, stage: Stage, shot: Shot) -> Subject:
    if stage.network is study.subject.network:
        return study.subject
    subject = Subject(
        stage.network,
        _image(study, shot.ready),
        name=study.subject.name,
        classes=study.subject.classes,
        preprocessing=study.subject.preprocessing,
        scores=study.subject.meaning.kind,
    )
    subject.one_by_one = study.subject.one_by_one
    return subject


def _frame(
    study: Study, plan: Plan, subject: Subject, shot: Shot, tasks: Sequence[Task], epoch: int
) -> tuple[Frame, dict[str, npt.NDArray[np.generic]]]:
    """What the network of an epoch says of an image, and its maps."""
    settings = BatchSettings(plan.dry_run, seed=study.seed)
    targets = torch.tensor([[shot.target]], device=study.device)
    explained = explain_batch(subject, _image(study, shot.ready), tasks, targets, settings)
    logits = explained.logits.float().cpu()
    probabilities = subject.probabilities(logits)
    maps = {
        snapshot_key(shot.ready.item.id, result.task.name, epoch): result.maps[0, 0].numpy()
        for (result,) in explained.results
        if result.maps is not None and bool(result.maps.isfinite().all())
    }
    seen = study.subject.classes[int(logits[0].argmax())]
    frame = Frame(epoch, float(logits[0, shot.target]), float(probabilities[0, shot.target]), seen)
    return frame, maps


def _image(study: Study, ready: DecodedImage) -> Tensor:
    return ready.picture.values.unsqueeze(0).to(study.device)
