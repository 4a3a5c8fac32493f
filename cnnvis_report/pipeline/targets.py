"""Which classes of an image are explained."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.loading.class_names import find_class
from cnnvis_report.records import Label

FORMS = "top:K, label, or names and indices with commas between them"


@dataclass(frozen=True)
class ClassChoice:
    """The first `top` classes, the label's, and those named, in this order and each once."""

    top: int = 0
    label: bool = False
    named: tuple[int, ...] = ()

    def choose(self, logits: Tensor, label: Label | None) -> list[int]:
        """Class indices for one image with logits [classes]; empty where only an unknown label was asked for."""
        best = logits.topk(min(self.top, len(logits))).indices.tolist()
        labelled = [label.index] if self.label and label is not None and label.index is not None else []
        return list(dict.fromkeys([*best, *labelled, *self.named]))


def parse_classes(text: str, names: Sequence[str], aliases: Sequence[Sequence[str]] = ()) -> ClassChoice:
    """A choice from what a user types: `top:3`, `label`, `tabby,281`, or several with commas between them.

    Args:
        text: what was typed. names: of the classes, in index order. aliases: what else each of them is called.

    Raises:
        UnknownName, BadRequest: a class doesn't exist, or the text can't be understood.
    """
    if find_whole := _whole_name(text, names):
        return ClassChoice(named=find_whole)
    top, label, named = 0, False, []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if match := re.fullmatch(r"top:?(\d*)", part):
            top = int(match[1] or 1)
            if top < 1:
                raise BadRequest(f"--classes {part}: K of top:K is at least 1.")
        elif part == "label":
            label = True
        else:
            named.append(find_class(part, names, aliases))
    if not (top or label or named):
        raise BadRequest(f"--classes {text!r}: nothing to explain. Give {FORMS}.")
    return ClassChoice(top, label, tuple(named))


def _whole_name(text: str, names: Sequence[str]) -> tuple[int, ...]:
    """A class whose own name has a comma in it."""
    return (find_class(text, names),) if "," in text and text in names else ()
