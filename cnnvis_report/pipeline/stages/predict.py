"""A look at every image of a set, before some of them are explained: which are answered wrong?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, DecodedImage, batches
from cnnvis_report.data.image_set import ImageItem, Limit
from cnnvis_report.data.limit import chosen as drawn
from cnnvis_report.engine.devices import batch_size
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.rejected_images import in_one_line
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.progress import Progress
from cnnvis_report.records.labels import LabelCounter, LabelPredictions
from cnnvis_report.records.predictions import Prediction, Predictions, count
from cnnvis_report.records.run import Skipped
from cnnvis_report.records.scores import ScoreKind

IN_WORDS = {"all": "read", "misclassified": "misclassified", "correct": "classified correctly"}


def screened(
    study: Study,
    select: str,
    most: int | None,
    progress: Progress = Progress(),  # noqa: B008 # it has no state
    limit: Limit | None = None,
) -> Study:
    """The study of those images alone that are misclassified, or classified correctly, and of at most so many of them.

    Its answers are those to all images, so that accuracy and confusions aren't those of a selection. Files that can't
    be read stay, to be listed; images with labels that the network doesn't know are neither right nor wrong.

    Args:
        select: "all", "misclassified" or "correct". most: where there are more, some of the errors and a spread over
            the set.
        limit: how many of the selection are taken, and which; None for all.

    Raises:
        BadRequest: no image has a label that the network knows, or none is left, or nothing is right or wrong.
    """
    if select != "all":
        _check_judged(study, select)
    looked = _look(study, progress)
    wanted = {"all": (True, False), "misclassified": (False,), "correct": (True,)}[select]
    if not any(each.right in wanted for each in looked.verdicts.values()) and select != "all":
        raise BadRequest(f"--select {select}: none of the {len(looked.verdicts)} labeled images is {IN_WORDS[select]}.")
    known = [item for item in study.images if select == "all" or _fits(item, looked, wanted)]
    chosen = known if most is None else _spread(known, looked.verdicts, most)
    said: list[str] = []
    if limit is not None:
        places, said = drawn([""] * len(chosen), [item.labels for item in chosen], limit)
        chosen = [chosen[place] for place in places]
        said = [f"Of the images {IN_WORDS[select]}, {sentence}" for sentence in said]
    answers, of_labels = looked.counted({item.id for item in chosen})
    return replace(
        study,
        images=replace(study.images, items=tuple(chosen)),
        answers=answers,
        label_answers=of_labels,
        notices=(*study.notices, *said),
    )


def _check_judged(study: Study, select: str) -> None:
    if not study.subject.meaning.kind.judged:
        raise BadRequest(f"--select {select}: {study.subject.name} gives values, and none of them is right or wrong.")
    if not any(item.labels for item in study.images):
        raise BadRequest(
            f"--select {select}: no image has a label. Put the images in folders called like classes, or use --labels "
            f"folders, or give a .txt, .csv or .tsv list of paths and labels."
        )
    if not any(known_of(item) for item in study.images):
        example = next(label.name for item in study.images for label in item.labels)
        raise BadRequest(
            f"--select {select}: {study.subject.name} knows none of the labels, such as {example!r}. Its classes are "
            f"{', '.join(study.subject.classes[:5])}{', …' if len(study.subject.classes) > 5 else ''}; give their "
            f"names with --class-names."
        )


def known_of(item: ImageItem) -> list[int]:
    """The classes that an image's labels are."""
    return [label.index for label in item.labels if label.index is not None]


@dataclass(frozen=True)
class Verdict:
    """Whether an image is answered right, and how sure the network is of that answer."""

    right: bool
    sure: float


@dataclass
class _Looked:
    """What a look at all images has brought, by their ids."""

    classes: Sequence[str]
    kind: ScoreKind
    read: set[str] = field(default_factory=set)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    answers: dict[str, Prediction] = field(default_factory=dict)
    rows: dict[str, tuple[ImageItem, Sequence[float], Sequence[float]]] = field(default_factory=dict)
    unknown: int = 0

    def add(self, item: ImageItem, scores: Tensor, probabilities: Tensor) -> None:
        """Note an image's answer."""
        self.read.add(item.id)
        known = known_of(item)
        if not (known or (item.bare and self.kind is ScoreKind.SIGMOID)):
            self.unknown += bool(item.labels)
        elif self.kind is ScoreKind.SIGMOID:
            above = set((probabilities > 0.5).nonzero().flatten().tolist())
            self.verdicts[item.id] = Verdict(above == set(known), float((probabilities - 0.5).abs().max()))
            self.rows[item.id] = item, scores.tolist(), probabilities.tolist()
        else:
            answer = _answer(item, known, probabilities, self.classes)
            self.answers[item.id] = answer
            self.verdicts[item.id] = Verdict(answer.correct, answer.probability)

    def counted(self, explained: Collection[str]) -> tuple[Predictions | None, LabelPredictions | None]:
        """All answers, counted; with pages are those that are explained."""
        if self.rows:
            counting = LabelCounter(self.classes)
            counting.unknown = self.unknown
            for place, (item, scores, shares) in self.rows.items():
                counting.add(place if place in explained else "", item.name, known_of(item), scores, shares)
            return None, counting.result()
        told = [replace(each, image=each.image if each.image in explained else "") for each in self.answers.values()]
        return (count(told, self.unknown) if told else None), None


def _fits(item: ImageItem, looked: _Looked, wanted: Collection[bool]) -> bool:
    """Files that can't be read have no answer; those with a label stay, to be listed."""
    if item.id in looked.verdicts:
        return looked.verdicts[item.id].right in wanted
    return item.id not in looked.read and bool(item.labels)


def _spread(items: Sequence[ImageItem], verdicts: Mapping[str, Verdict], most: int) -> list[ImageItem]:
    """At most so many, in order: up to half of them errors, the surest ones, the others evenly over the set."""
    wrong = sorted((name for name, each in verdicts.items() if not each.right), key=lambda name: -verdicts[name].sure)
    first = set(wrong[: most // 2])
    rest = [item for item in items if item.id not in first]
    room = min(len(rest), most - len(first))
    kept = first | {rest[place * len(rest) // room].id for place in range(room)}
    return [item for item in items if item.id in kept]


def _look(study: Study, progress: Progress) -> _Looked:
    """The answer to each labeled image that can be read."""
    subject = study.subject
    looked = _Looked(subject.classes, subject.meaning.kind)
    unreadable: list[Skipped] = []
    size = batch_size(subject, study.device, study.batch_size)
    with subject.in_eval_mode():
        for batch in batches(study.images, subject.preprocessing, size, unreadable):
            for ready, row, shares in _scored(subject, batch, study.device):
                looked.add(ready.item, row, shares)
            for ready in batch.ready:
                progress.done(ready.item.name)
    return looked


def _scored(subject: Subject, batch: Batch, device: torch.device) -> Iterator[tuple[DecodedImage, Tensor, Tensor]]:
    """Each image with its scores and probabilities; one that the network fails on is left out, to be listed."""
    images = batch.images.to(device)
    try:
        with torch.no_grad(), in_one_line(subject, images):
            scores = subject.forward(images)
            probabilities = subject.probabilities(scores).float().cpu()
    except BadRequest:
        for each in batch.ready if len(batch.ready) > 1 else ():
            yield from _scored(subject, Batch((each,)), device)
    else:
        for ready, row, shares in zip(batch.ready, scores.float().cpu(), probabilities, strict=True):
            if bool(row.isfinite().all()):
                yield ready, row, shares


def _answer(item: ImageItem, known: Sequence[int], probabilities: Tensor, classes: Sequence[str]) -> Prediction:
    """The answer to an image that has a class, or one of several that it may be called."""
    first = int(probabilities.argmax())
    label = first if first in known else known[0]
    own = float(probabilities[label])
    return Prediction(
        image=item.id,
        name=item.name,
        label=classes[label],
        predicted=classes[first],
        correct=first == label,
        probability=float(probabilities[first]),
        label_probability=own,
        rank=int((probabilities > own).sum()) + 1,
    )
