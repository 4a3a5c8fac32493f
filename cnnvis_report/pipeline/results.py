"""From what the methods gave for a batch to records and arrays, image by image."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from torch import Tensor

from cnnvis_report.data.batches import Batch, DecodedImage
from cnnvis_report.engine.cost import Costs, MethodCost, Stated
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.pointing_game import peak_inside
from cnnvis_report.methods.tasks import TaskResult
from cnnvis_report.records.images import ClassScore, Evidence, ImageRecord, MapRecord, NotApplicableRecord, Note
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.names import array_key

TOP = 5


@dataclass(frozen=True)
class Result:
    """One image's record, its arrays by key, the seconds that each method took on it, what its files are known by."""

    image: ImageRecord
    arrays: dict[str, npt.NDArray[np.generic]]
    seconds: dict[str, float]
    files: dict[str, str] = field(default_factory=dict)


def results_of(
    subject: Subject,
    batch: Batch,
    logits: Tensor,
    chosen: Sequence[Sequence[int]],
    outcomes: Sequence[Sequence[TaskResult]],
    costs: Costs,
) -> list[Result]:
    """The results of a batch; outcomes have their maps on the CPU.

    Args:
        logits: [N, classes]. chosen: the classes that are explained, image by image. outcomes: task by task, one of
            the whole batch, or one of each image.
    """
    probabilities = subject.probabilities(logits)
    shares = probabilities.tolist()
    seconds: dict[str, float] = {}
    for outcome in (each for parts in outcomes for each in parts):
        name = outcome.task.name
        seconds[name] = seconds.get(name, 0.0) + costs.seconds(outcome.account) / len(batch.ready)

    meaning = subject.meaning

    def score(place: int, index: int) -> ClassScore:
        share = float(probabilities[place, index]) if meaning.kind.judged else None
        return ClassScore(index, subject.classes[index], float(logits[place, index]), share)

    results = []
    for place, ready in enumerate(batch.ready):
        best = meaning.first(logits[place], TOP)
        own = [(parts[place], 0) if len(parts) > 1 else (parts[0], place) for parts in outcomes]
        maps, gaps, arrays = _collected(ready, chosen[place], own, subject.default_layer)
        image = ImageRecord(
            id=ready.item.id,
            name=ready.item.name,
            size=(ready.picture.seen.shape[0], ready.picture.seen.shape[1]),
            original_size=ready.picture.original,
            label=ready.item.label,
            top=tuple(score(place, index) for index in best),
            targets=tuple(score(place, index) for index in chosen[place]),
            maps=tuple(maps),
            not_applicable=tuple(gaps),
            mask_fraction=None if ready.mask is None else float(ready.mask.mean()),
            kind=meaning.kind,
            labels=ready.item.labels if len(ready.item.labels) > 1 else (),
            content=ready.content,
        )
        if meaning.kind is ScoreKind.SIGMOID:
            above = [
                index for index in meaning.first(logits[place], len(subject.classes)) if shares[place][index] > 0.5
            ]
            image = replace(
                image,
                predicted=tuple(score(place, index) for index in above),
                bare=ready.item.bare,
                label_scores=tuple(score(place, index) for index in image.known),
                scores=tuple(float(f"{value:.6g}") for value in logits[place].tolist()),
            )
        files = {stamp: digest for file in ready.item.files for stamp, digest in file.remembered.items()}
        results.append(Result(image, arrays, seconds, files))
    return results


def _collected(
    ready: DecodedImage, classes: Sequence[int], outcomes: Sequence[tuple[TaskResult, int]], default_layer: str
) -> tuple[list[MapRecord], list[NotApplicableRecord], dict[str, npt.NDArray[np.generic]]]:
    """One image's maps, the gaps where there are none, and all its arrays.

    Args:
        outcomes: each with the image's place in it.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {"picture": ready.picture.seen}
    if ready.mask is not None:
        arrays["mask"] = ready.mask
    maps: list[MapRecord] = []
    gaps = (
        []
        if classes
        else [NotApplicableRecord("", "no class to explain: the image has no label that the network knows")]
    )
    for outcome, place in outcomes if classes else ():
        task = outcome.task
        layer = (task.layer or default_layer) if task.method.takes_layer else ""
        if outcome.maps is None:
            gaps.append(NotApplicableRecord(task.name, outcome.reason, layer))
            continue
        for column, target in enumerate(classes):
            values = outcome.maps[place, column].numpy()
            if not np.isfinite(values).all():
                gaps.append(NotApplicableRecord(task.name, "values that aren't finite", layer, target))
                continue
            key = array_key(task.name, layer, target)
            evidence = _evidence(outcome.account, place, column, outcome.maps.shape[1])
            if ready.mask is not None and ready.item.label is not None and ready.item.label.index == target:
                evidence.notes["peak_inside"] = peak_inside(task.method.info.shown(values), ready.mask)
            arrays[key] = values
            maps.append(MapRecord(key, task.name, layer, target, tuple(values.shape), evidence))
    return maps, gaps, arrays


def _evidence(account: MethodCost, place: int, column: int, classes: int) -> Evidence:
    """What one map took: passes of its own for all classes, and its part of those shared with other methods."""
    shared = [key for key in account.shared if isinstance(key, tuple)]
    forward = account.forward + any(not isinstance(key, tuple) for key in account.shared)
    backward = (account.backward + len(shared)) / classes
    notes = {name: _one(stated, place, column) for name, stated in account.notes.items()}
    return Evidence(float(forward), float(backward), notes)


def _one(stated: Stated, place: int, column: int) -> Note:
    """What a method has stated of one map: numbers that aren't finite are words, which JSON can carry."""
    if isinstance(stated, Tensor):
        stated = float(stated[place, column] if stated.ndim == 2 else stated[place])
    if isinstance(stated, float) and not np.isfinite(stated):
        return str(stated)
    return stated
