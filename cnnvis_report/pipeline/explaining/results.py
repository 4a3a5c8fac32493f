"""From what the methods gave for a batch to records and arrays, image by image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.cost import Costs, MethodCost, Stated
from cnnvis_report.engine.outputs.boxes import Boxes
from cnnvis_report.engine.outputs.regions import Regions
from cnnvis_report.engine.subject import Subject
from cnnvis_report.methods.tasks import TaskResult
from cnnvis_report.records.images import ClassScore, Evidence, ImageRecord, MapRecord, NotApplicableRecord, Note
from cnnvis_report.records.predictions import TOP
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.files.names import array_key


@dataclass(frozen=True)
class Result:
    """One image's record, its arrays by key, the seconds that each method took on it, what its files are known by."""

    image: ImageRecord
    arrays: dict[str, npt.NDArray[np.generic]]
    seconds: dict[str, float]
    files: dict[str, str] = field(default_factory=dict)


def results_of(
    subject: Subject,
    images: Sequence[DecodedImage],
    logits: Tensor,
    chosen: Sequence[Sequence[int]],
    results: Sequence[Sequence[TaskResult]],
    costs: Costs,
    anchor: Regions | Boxes | None = None,
) -> list[Result]:
    """The results of a batch, image by image.

    Args:
        logits: [N, classes]. chosen: the classes that are asked for, image by image. results: task by task, one of
            the whole batch, or one of each image; their maps are on the CPU. anchor: what a segmentation or a
            detection predicts, on the CPU.
    """
    probabilities = subject.probabilities(logits)
    seconds = _seconds(results, costs, len(images))
    by_image = []
    for row, image in enumerate(images):
        shares = None if anchor is None else anchor.shares[row]
        scores = _Scores(subject, logits[row], probabilities[row], shares)
        slices = [(parts[row], 0) if len(parts) > 1 else (parts[0], row) for parts in results]
        maps, missing, arrays = _maps(image, chosen[row], slices, scores)
        if isinstance(anchor, Regions):
            arrays["segmentation"] = anchor.labels[row].to(torch.int16).numpy()
        if isinstance(anchor, Boxes):
            arrays["boxes"] = anchor.all[row].numpy()
        record = _image_record(image, scores, [index for index in chosen[row] if scores.present(index)], maps, missing)
        files = {stamp: digest for file in image.item.files for stamp, digest in file.remembered.items()}
        by_image.append(Result(record, arrays, seconds, files))
    return by_image


@dataclass(frozen=True)
class _Scores:
    """One image's scores and probabilities [classes].

    shares: of a segmentation, the share of the picture of each class; of a detection, the scores of its boxes.
    """

    subject: Subject
    logits: Tensor
    probabilities: Tensor
    shares: Tensor | None = None

    def present(self, index: int) -> bool:
        """Whether the class can be explained: whether it is predicted anywhere."""
        return self.shares is None or float(self.shares[index]) > 0

    def of(self, indices: Iterable[int]) -> tuple[ClassScore, ...]:
        """The scores of some classes."""
        kind = self.subject.meaning.kind
        has_probability = kind.judged or kind is ScoreKind.DETECTION
        areas = self.shares if kind is ScoreKind.SEGMENTATION else None
        return tuple(
            ClassScore(
                index,
                self.subject.target_name(index),
                float(self.logits[index]),
                float(self.probabilities[index]) if has_probability else None,
                None if areas is None else float(areas[index]),
            )
            for index in indices
        )

    def highest(self, most: int) -> tuple[ClassScore, ...]:
        """The highest ones, highest first."""
        ranking = self.logits if self.shares is None else self.shares
        return self.of(self.subject.meaning.first(ranking, most))


def _seconds(results: Sequence[Sequence[TaskResult]], costs: Costs, images: int) -> dict[str, float]:
    """What each method took for one image."""
    seconds: dict[str, float] = {}
    for result in (result for parts in results for result in parts):
        name = result.task.name
        seconds[name] = seconds.get(name, 0.0) + costs.seconds(result.account) / images
    return seconds


def _image_record(
    image: DecodedImage,
    scores: _Scores,
    chosen: Sequence[int],
    maps: Sequence[MapRecord],
    missing: Sequence[NotApplicableRecord],
) -> ImageRecord:
    item, picture, kind = image.item, image.picture, scores.subject.meaning.kind
    record = ImageRecord(
        id=item.id,
        name=item.name,
        size=(picture.seen.shape[0], picture.seen.shape[1]),
        original_size=picture.original,
        label=item.label,
        top=scores.highest(TOP),
        targets=scores.of(chosen),
        maps=tuple(maps),
        not_applicable=tuple(missing),
        mask_fraction=None if image.mask is None else float(image.mask.mean()),
        kind=kind,
        labels=item.labels if len(item.labels) > 1 else (),
        content=image.content,
        reading=picture.reading,
    )
    if kind is not ScoreKind.SIGMOID:
        return record
    above = [score for score in scores.highest(len(scores.logits)) if score.probability and score.probability > 0.5]
    return replace(
        record,
        predicted=tuple(above),
        bare=item.bare,
        label_scores=scores.of(record.known),
        scores=tuple(float(f"{value:.6g}") for value in scores.logits.tolist()),
    )


def _maps(
    image: DecodedImage, classes: Sequence[int], results: Sequence[tuple[TaskResult, int]], scores: _Scores
) -> tuple[list[MapRecord], list[NotApplicableRecord], dict[str, npt.NDArray[np.generic]]]:
    """One image's maps, those that aren't there with the reason, and all its arrays.

    Args:
        results: each with the image's row in it.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {"picture": image.picture.seen}
    if image.mask is not None:
        arrays["mask"] = image.mask
    if not classes:
        if scores.highest(1):
            reason = "no class to explain: the image has no label that the network knows"
        else:
            reason = "no box to explain: the detector finds nothing"
        return [], [NotApplicableRecord("", reason)], arrays
    maps: list[MapRecord] = []
    absent = [target for target in classes if not scores.present(target)]
    missing = [
        NotApplicableRecord("", f"{scores.subject.target_name(target)} is predicted nowhere", target=target)
        for target in absent
    ]
    for result, row in results if len(absent) < len(classes) else ():
        task = result.task
        layer = (task.layer or scores.subject.default_layer) if task.method.takes_layer else ""
        if result.maps is None:
            missing.append(NotApplicableRecord(task.name, result.reason, layer))
            continue
        for column, target in enumerate(classes):
            if target in absent:
                continue
            values = result.maps[row, column].numpy()
            if not np.isfinite(values).all():
                missing.append(NotApplicableRecord(task.name, "values that aren't finite", layer, target))
                continue
            key = array_key(task.name, layer, target)
            evidence = _evidence(result.account, row, column, result.maps.shape[1])
            arrays[key] = values
            maps.append(MapRecord(key, task.name, layer, target, tuple(values.shape), evidence))
    return maps, missing, arrays


def _evidence(account: MethodCost, row: int, column: int, classes: int) -> Evidence:
    """What one map took: passes of its own for all classes, and its part of those shared with other methods."""
    shared = [key for key in account.shared if isinstance(key, tuple)]
    forward = account.forward + any(not isinstance(key, tuple) for key in account.shared)
    backward = (account.backward + len(shared)) / classes
    notes = {name: _note(stated, row, column) for name, stated in account.notes.items()}
    return Evidence(float(forward), float(backward), notes)


def _note(stated: Stated, row: int, column: int) -> Note:
    """What a method has stated of one map: numbers that aren't finite are words, which JSON can carry."""
    if isinstance(stated, Tensor):
        stated = float(stated[row, column] if stated.ndim == 2 else stated[row])
    if isinstance(stated, float) and not np.isfinite(stated):
        return str(stated)
    return stated
