"""How well each class is predicted, counted."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassCounts:
    """A class: how many images bear it, for how many it is predicted, and how many are both."""

    images: int
    predicted: int
    correct: int


def class_counts(confusion: Sequence[tuple[str, str, int]]) -> dict[str, ClassCounts]:
    """The counts of every class that occurs, by name.

    Args:
        confusion: label, prediction, and how many images have both.
    """
    counts = {name: [0, 0, 0] for name in sorted({name for pair in confusion for name in pair[:2]})}
    for label, predicted, images in confusion:
        counts[label][0] += images
        counts[predicted][1] += images
        counts[label][2] += images if label == predicted else 0
    return {name: ClassCounts(*amounts) for name, amounts in counts.items()}
