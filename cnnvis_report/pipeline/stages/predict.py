"""Stage: predict every image of a set, before some of them are explained: which are misclassified?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, DecodedImage, batches
from cnnvis_report.data.image_set import ImageItem, ImageSet, Limit
from cnnvis_report.data.limit import chosen as take
from cnnvis_report.data.limit import evenly
from cnnvis_report.engine.devices import batch_size
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.explaining.rejected_images import in_one_line
from cnnvis_report.progress import Progress
from cnnvis_report.records.images import ClassScore
from cnnvis_report.records.labels import LabelCounter, LabelPredictions
from cnnvis_report.records.predictions import TOP, Prediction, Predictions, count, prediction_of
from cnnvis_report.records.run import Skipped
from cnnvis_report.records.scores import ScoreKind

IN_WORDS = {"all": "read", "misclassified": "misclassified", "correct": "classified correctly"}
WANTED = {"all": (True, False), "misclassified": (False,), "correct": (True,)}


@dataclass(frozen=True)
class Selection:
    """The images that are explained, of a set that was predicted as a whole.

    predictions, label_predictions: of all images, so that accuracy and confusion aren't those of a selection.
    notices: what a user has to know of the selection, a sentence each.
    """

    images: ImageSet
    predictions: Predictions | None = None
    label_predictions: LabelPredictions | None = None
    notices: tuple[str, ...] = ()


def predict(
    subject: Subject,
    images: ImageSet,
    select: str,
    progress: Progress,
    *,
    most: int | None = None,
    limit: Limit | None = None,
    size: int | None = None,
) -> Selection:
    """Predict every image, and select those that are misclassified, or classified correctly.

    Files that can't be read stay, to be listed; images with labels that the network doesn't know are neither.

    Args:
        select: "all", "misclassified" or "correct". most: where there are more, some of the misclassified ones and a
            spread over the set. limit: how many of the selection are taken, and which. size: images at a time.

    Raises:
        BadRequest: no image has a label that the network knows, or none is left, or nothing is right or wrong.
    """
    if select != "all":
        _check_judged(subject, images, select)
    predicted = _predict(subject, images, size, progress)
    verdicts, wanted = predicted.verdicts, WANTED[select]
    if not any(verdict.correct in wanted for verdict in verdicts.values()) and select != "all":
        raise BadRequest(f"--select {select}: none of the {len(verdicts)} labeled images is {IN_WORDS[select]}.")
    items = [item for item in images if select == "all" or _fits(item, predicted, wanted)]
    items = items if most is None else _spread(items, verdicts, most)
    notices: list[str] = []
    if limit is not None:
        numbers, notices = take([""] * len(items), [item.labels for item in items], limit)
        items = [items[number] for number in numbers]
        notices = [f"Of the images {IN_WORDS[select]}, {sentence}" for sentence in notices]
    predictions, of_labels = predicted.counted({item.id for item in items})
    return Selection(replace(images, items=tuple(items)), predictions, of_labels, tuple(notices))


def _check_judged(subject: Subject, images: ImageSet, select: str) -> None:
    if not subject.meaning.kind.judged:
        kind = subject.meaning.kind
        what = "values" if kind is ScoreKind.VALUE else "boxes" if kind is ScoreKind.DETECTION else "a segmentation"
        raise BadRequest(f"--select {select}: {subject.name} gives {what}, and no label says what is right or wrong.")
    if not any(item.labels for item in images):
        raise BadRequest(
            f"--select {select}: no image has a label. Put the images in folders called like classes, or use --labels "
            f"folders, or give a table of paths and labels, as IMAGES or by --labels FILE."
        )
    if not any(known_labels(item) for item in images):
        example = next(label.name for item in images for label in item.labels)
        raise BadRequest(
            f"--select {select}: {subject.name} knows none of the labels, such as {example!r}. Its classes are "
            f"{', '.join(subject.classes[:5])}{', …' if len(subject.classes) > 5 else ''}; give their "
            f"names with --class-names."
        )


def known_labels(item: ImageItem) -> list[int]:
    """The classes that an image's labels are."""
    return [label.index for label in item.labels if label.index is not None]


@dataclass(frozen=True)
class Verdict:
    """Whether an image is classified correctly, and how confident the network is of that."""

    correct: bool
    confidence: float


@dataclass
class _Predicted:
    """What the predictions of all images have brought, by their ids."""

    subject: Subject
    read: set[str] = field(default_factory=set)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    rows: dict[str, tuple[ImageItem, Sequence[float], Sequence[float]]] = field(default_factory=dict)
    unknown: int = 0

    def add(self, item: ImageItem, scores: Tensor, probabilities: Tensor) -> None:
        """Note an image's scores and probabilities [classes]."""
        self.read.add(item.id)
        if not self.subject.meaning.kind.judged:
            return
        known, multi_label = known_labels(item), self.subject.meaning.kind is ScoreKind.SIGMOID
        if not (known or (item.bare and multi_label)):
            self.unknown += bool(item.labels)
        elif multi_label:
            above = set((probabilities > 0.5).nonzero().flatten().tolist())
            self.verdicts[item.id] = Verdict(above == set(known), float((probabilities - 0.5).abs().max()))
            self.rows[item.id] = item, scores.tolist(), probabilities.tolist()
        else:
            prediction = self._prediction(item, known, scores, probabilities)
            self.predictions[item.id] = prediction
            self.verdicts[item.id] = Verdict(prediction.correct, prediction.probability)

    def _prediction(self, item: ImageItem, known: Sequence[int], scores: Tensor, probabilities: Tensor) -> Prediction:
        def score(index: int) -> ClassScore:
            return ClassScore(index, self.subject.classes[index], float(scores[index]), float(probabilities[index]))

        top = [score(index) for index in self.subject.meaning.first(scores, TOP)]
        return prediction_of(item.id, item.name, top, [score(index) for index in known])

    def counted(self, explained: Collection[str]) -> tuple[Predictions | None, LabelPredictions | None]:
        """All predictions, counted; those that are explained have pages."""
        if self.rows:
            counter = LabelCounter(self.subject.classes)
            counter.unknown = self.unknown
            for id, (item, scores, probabilities) in self.rows.items():
                page = id if id in explained else ""
                counter.add(page, item.name, known_labels(item), scores, probabilities)
            return None, counter.result()
        predictions = [
            replace(prediction, image=prediction.image if prediction.image in explained else "")
            for prediction in self.predictions.values()
        ]
        return (count(predictions, self.unknown) if predictions else None), None


def _fits(item: ImageItem, predicted: _Predicted, wanted: Collection[bool]) -> bool:
    """Files that can't be read have no prediction; those with a label stay, to be listed."""
    if item.id in predicted.verdicts:
        return predicted.verdicts[item.id].correct in wanted
    return item.id not in predicted.read and bool(item.labels)


def _spread(items: Sequence[ImageItem], verdicts: Mapping[str, Verdict], most: int) -> list[ImageItem]:
    """At most so many, in order: up to half of them misclassified, most confident first, the others evenly spread."""
    wrong = [id for id, verdict in verdicts.items() if not verdict.correct]
    first = set(sorted(wrong, key=lambda id: -verdicts[id].confidence)[: most // 2])
    rest = [item for item in items if item.id not in first]
    chosen = first | {item.id for item in evenly(rest, most - len(first))}
    return [item for item in items if item.id in chosen]


def _predict(subject: Subject, images: ImageSet, size: int | None, progress: Progress) -> _Predicted:
    """The prediction for each labeled image that can be read."""
    predicted = _Predicted(subject)
    unreadable: list[Skipped] = []
    count = batch_size(subject, subject.device, size)
    with subject.in_eval_mode():
        for batch in batches(images, subject.preprocessing, count, unreadable):
            for image, scores, probabilities in _scored(subject, batch):
                predicted.add(image.item, scores, probabilities)
            for image in batch.ready:
                progress.done(image.item.name)
    return predicted


def _scored(subject: Subject, batch: Batch) -> Iterator[tuple[DecodedImage, Tensor, Tensor]]:
    """Each image with its scores and probabilities; one that the network fails on is left out, to be listed."""
    inputs = batch.images.to(subject.device)
    try:
        with torch.no_grad(), in_one_line(subject, inputs):
            scores = subject.forward(inputs)
            probabilities = subject.probabilities(scores).float().cpu()
    except BadRequest:
        for image in batch.ready if len(batch.ready) > 1 else ():
            yield from _scored(subject, Batch((image,)))
    else:
        for image, row, shares in zip(batch.ready, scores.float().cpu(), probabilities, strict=True):
            if bool(row.isfinite().all()):
                yield image, row, shares
