"""How scores are read from what a network returns: class scores, means over regions, or a function of the user's own.

Passes over perturbed versions of an image may have to be read as the image itself was: the mean of a class's scores
goes over the region that is predicted as the class in the image as it is, whatever a patch hides. What that takes of
the pass over the images as they are is an `Anchor`, with a row for each image.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from torch import Tensor

from cnnvis_report.isolation.context import as_scores

Shape = tuple[int, int, int]
TargetFunction = Callable[..., Tensor | Mapping[str, Tensor]]


class Anchor(Protocol):
    """What of a pass over N images as they are the passes over perturbed versions of them are read by."""

    def rows(self, indices: Tensor) -> "Anchor":
        """The same for other images [M], each of which is a version of one of the N."""


class OutputReader(Protocol):
    """Makes scores of what a network returns."""

    @property
    def reads(self) -> str:
        """What gives the scores: the name of the network, or of a function."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the columns, where it knows them."""

    @property
    def anchored(self) -> bool:
        """Whether perturbed images are read by an anchor."""

    @property
    def shapes(self) -> frozenset[Shape]:
        """The shapes C×h×w of outputs that a function makes scores of; none where they are the scores themselves."""

    @property
    def notes(self) -> dict[str, None]:
        """What a user has to know of how the output is read."""

    def read(self, output: Any, count: int, anchor: Anchor | None) -> tuple[Tensor, Anchor | None]:
        """[N, columns] with the way back to the output, and the anchor.

        Args:
            count: N. anchor: of the images as they are; where it is None, these are as they are, and give it.

        Raises:
            BadRequest: the output can't be read so.
        """


class ClassScores:
    """Takes the N×classes scores that a network returns, or that are a part of what it returns."""

    anchored = False
    names: tuple[str, ...] | None = None
    shapes: frozenset[Shape] = frozenset()

    def __init__(self, name: str) -> None:
        self.reads = name
        self.notes: dict[str, None] = {}

    def read(self, output: Any, count: int, anchor: Anchor | None = None) -> tuple[Tensor, Anchor | None]:
        """The scores as they are; they need no anchor."""
        return as_scores(output, self.reads, count, self.notes), None
