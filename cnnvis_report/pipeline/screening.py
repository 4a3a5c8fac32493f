"""A look at every image of a set, before some of them are explained: which are answered wrong?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.loading.images import Item
from cnnvis_report.pipeline.batches import batches
from cnnvis_report.pipeline.devices import batch_size
from cnnvis_report.pipeline.study import Study
from cnnvis_report.records import Label, Skipped
from cnnvis_report.records_answers import Answer, count

ONLY = ("all", "wrong", "right")


def screened(study: Study, only: str, most: int | None, advance: Callable[[str], None] = lambda _: None) -> Study:
    """The study of those images alone that are answered wrong, or right, and of at most so many of them.

    Its answers are those to all images, so that accuracy and confusions aren't those of a selection. Files that can't
    be read stay, to be listed.

    Args:
        only: "all", "wrong" or "right". most: where there are more, some of the errors and a spread over the set.
        advance: told of each image.

    Raises:
        BadRequest: no image has a label, or none is left.
    """
    if only != "all" and not any(item.label for item in study.images):
        raise BadRequest(
            f"--only {only}: no image has a label. Put the images in folders called like classes, or use --labels "
            f"folders, or give a .txt list with a tab and the label after each path."
        )
    answers = _answers(study, advance)
    wanted = {"all": (True, False), "wrong": (False,), "right": (True,)}[only]
    if not any(answer.right in wanted for answer in answers.values()) and only != "all":
        raise BadRequest(f"--only {only}: none of the {len(answers)} labelled images is answered {only}.")
    known = [item for item in study.images if only == "all" or (item.label and _fits(answers.get(item.id), wanted))]
    chosen = known if most is None else _spread(known, answers, most)
    there = {item.id for item in chosen}
    told = [replace(each, image=each.image if each.image in there else "") for each in answers.values()]
    settings = {**study.settings, "only": only if only != "all" else None}
    return replace(
        study,
        images=replace(study.images, items=tuple(chosen)),
        answers=count(told) if told else None,
        settings=settings,
    )


def _fits(answer: Answer | None, wanted: Collection[bool]) -> bool:
    """Files that can't be read have no answer; they stay, to be listed."""
    return answer is None or answer.right in wanted


def _spread(items: Sequence[Item], answers: Mapping[str, Answer], most: int) -> list[Item]:
    """At most so many, in order: up to half of them errors, the surest ones, the others evenly over the set."""
    wrong = sorted((each for each in answers.values() if not each.right), key=lambda each: -each.probability)
    first = {each.image for each in wrong[: most // 2]}
    rest = [item for item in items if item.id not in first]
    room = min(len(rest), most - len(first))
    kept = first | {rest[place * len(rest) // room].id for place in range(room)}
    return [item for item in items if item.id in kept]


def _answers(study: Study, advance: Callable[[str], None]) -> dict[str, Answer]:
    """The answer to each labelled image that can be read, by its id."""
    found = {}
    unreadable: list[Skipped] = []
    size = batch_size(study.subject, study.device, study.batch_size)
    with study.subject.held():
        for batch in batches(study.images, study.subject.preprocessing, size, unreadable):
            probabilities = _probabilities(study, batch.images)
            for row, ready in zip(probabilities, batch.ready, strict=True):
                if ready.item.label is not None:
                    found[ready.item.id] = _answer(ready.item, row, study.subject.classes)
                advance(ready.item.name)
    return found


def _probabilities(study: Study, images: Tensor) -> Tensor:
    """[N, classes] on the CPU."""
    with torch.no_grad():
        return study.subject.probabilities(study.subject.forward(images.to(study.device))).float().cpu()


def _answer(item: Item, probabilities: Tensor, classes: Sequence[str]) -> Answer:
    label = item.label or Label("")
    first = int(probabilities.argmax())
    own = None if label.index is None else float(probabilities[label.index])
    rank = None if own is None else int((probabilities > own).sum()) + 1
    return Answer(
        image=item.id,
        name=item.name,
        label=label.name,
        seen=classes[first],
        right=first == label.index,
        probability=float(probabilities[first]),
        own=own,
        rank=rank,
    )
