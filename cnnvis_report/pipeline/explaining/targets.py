"""Which classes of an image are explained."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.labels.class_names import find_class
from cnnvis_report.engine.outputs.scores import Scores
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.images import Label
from cnnvis_report.records.scores import BOXES, ScoreKind

AUTO = "auto"
FORMS = "auto, top:K, label, or names and indices with commas between them"


@dataclass(frozen=True)
class ClassChoice:
    """The first `top` classes, those of the labels, and those named, in this order and each once."""

    top: int = 0
    label: bool = False
    named: tuple[int, ...] = ()

    def __str__(self) -> str:
        """As a user types it, such as "top:1,label"."""
        top = [f"top:{self.top}"] if self.top else []
        return ",".join([*top, *(["label"] if self.label else []), *map(str, self.named)])

    def choose(self, scores: Tensor, labels: Sequence[Label], meaning: Scores) -> list[int]:
        """Class indices for one image; empty where only an unknown label was asked for.

        Args:
            scores: [classes], or what else the classes are ordered by.
        """
        best = meaning.first(scores, self.top)
        labeled = [label.index for label in labels if label.index is not None] if self.label else []
        named = [index for index in (*labeled, *self.named) for index in _boxes_of(index, scores, meaning)]
        return list(dict.fromkeys([*best, *named]))


def _boxes_of(index: int, scores: Tensor, meaning: Scores) -> list[int]:
    """The columns of a class in scores [columns]: of a detection, its best box, even if there is none, and others."""
    if meaning.kind is not ScoreKind.DETECTION:
        return [index]
    classes = len(scores) // BOXES
    return [index, *(column for column in range(index + classes, len(scores), classes) if scores[column] > 0)]


def automatic_choice(effort: str, kind: ScoreKind) -> ClassChoice:
    """The predicted and the labeled class at low and medium effort, the three highest scores above; so of boxes."""
    if kind is ScoreKind.DETECTION:  # a pass over a perturbed image tells the scores of all boxes
        return ClassChoice(top=BOXES, label=True)
    if effort in ("low", "medium"):
        return ClassChoice(top=1, label=kind.has_classes)
    return ClassChoice(top=3)


def parse_classes(text: str, names: Sequence[str], aliases: Sequence[Sequence[str]] = ()) -> ClassChoice:
    """A choice from what a user types: `top:3`, `label`, `tabby,281`, or several with commas between them.

    Args:
        text: what was typed. names: of the classes, in index order. aliases: what else each of them is called.

    Raises:
        UnknownName, BadRequest: a class doesn't exist, or the text can't be understood.
    """
    if whole := _whole_name(text, names):
        return ClassChoice(named=whole)
    top, label, named = 0, False, []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if match := re.fullmatch(r"top:?([0-9]{0,9})", part):
            top = int(match[1] or 1)
            if top < 1:
                raise BadRequest(f"--classes {part}: K of top:K is at least 1.")
        elif part == "label":
            label = True
        else:
            named.append(find_class(part, names, aliases))
    if not (top or label or named):
        raise BadRequest(f"--classes {shown(text)}: nothing to explain. Give {FORMS}.")
    return ClassChoice(top, label, tuple(named))


def check_choice(choice: ClassChoice, images: ImageSet, subject: Subject) -> None:
    """Refuse to explain the label's class where there is none.

    Raises:
        BadRequest: no image has a label, or one that is a class, or the network gives values, of which no label is one.
    """
    if choice.label and not subject.meaning.kind.has_classes:
        raise BadRequest(
            f"--classes label: {subject.name} gives values, and no label is one of them. "
            f"Name outputs, such as {subject.classes[0]!r}, or give top:K for the first K."
        )
    if choice == ClassChoice(label=True) and not any(item.label for item in images):
        raise BadRequest(
            "--classes label: no image has a label. Put the images in folders called like classes, or use --labels "
            "folders, or give a table of paths and labels, as IMAGES or by --labels FILE."
            + "".join(f" {notice}" for notice in images.notices if "names images" in notice)
        )
    labels = [label for item in images for label in item.labels]
    if choice == ClassChoice(label=True) and all(label.index is None for label in labels):
        raise BadRequest(
            f"--classes label: {subject.name} knows none of the labels, such as {labels[0].name!r}. Its classes are "
            f"{', '.join(subject.classes[:5])}{', …' if len(subject.classes) > 5 else ''}; give their names with "
            f"--class-names, or choose classes by top:K."
        )


def images_of(images: ImageSet, meaning: Scores, classes: Sequence[str]) -> ImageSet:
    """The image set as the scores mean it: the output of a regression is no class, and so no label is amiss.

    A label of a class is called like the class, as a prediction is, whatever the folder is called that stands for it.
    That an image bears none of several labels is an answer where they don't exclude each other.
    """
    if bare := sum(item.bare for item in images) if meaning.kind is not ScoreKind.SIGMOID else 0:
        which = "1 image bears" if bare == 1 else f"{bare} images bear"
        notice = (
            f"{which} none of the table's labels, which counts where they don't exclude each other (--task multilabel)."
        )
        images = replace(images, notices=(*images.notices, notice))
    if meaning.kind.has_classes:
        if not images.order:
            return images
        items = (replace(item, labels=tuple(_by_class(label, classes) for label in item.labels)) for item in images)
        return replace(images, items=tuple(items))
    items = (replace(item, labels=tuple(Label(label.name) for label in item.labels)) for item in images)
    notices = tuple(notice for notice in images.notices if notice not in images.of_labels)
    if any(item.labels for item in images):
        notices += ("The network gives values: labels are shown beside them, and no error is measured.",)
    return replace(images, items=tuple(items), notices=notices, of_labels=())


def _by_class(label: Label, classes: Sequence[str]) -> Label:
    return label if label.index is None else Label(classes[label.index], label.index)


def _whole_name(text: str, names: Sequence[str]) -> tuple[int, ...]:
    """A class whose own name has a comma in it."""
    return (find_class(text, names),) if "," in text and text in names else ()
