"""What a backward pass gives: gradients, or what another rule sends back in their place."""

from typing import Protocol

from torch import Tensor

from cnnvis_report.engine.rules.rule import Rule

PIXELS = ""  # what is read where it isn't a layer: the image itself; layers have names that aren't empty


class Readable(Protocol):
    """A recorded batch that can be run backward."""

    def read(self, targets: Tensor, rule: Rule | None, what: str) -> Tensor:
        """One gradient: of the pixels where `what` is empty, of the layer called so otherwise."""

    def layer_name(self, name: str) -> str:
        """The layer called `name`; the last features that reach the scores where it is empty."""


class Gradients:
    """The gradients of one class score an image under one rule; the backward pass runs when they are first read."""

    def __init__(self, tape: Readable, targets: Tensor, rule: Rule | None) -> None:
        self._tape, self._targets, self._rule = tape, targets, rule

    @property
    def pixels(self) -> Tensor:
        """[N, C, H, W]: with respect to the images."""
        return self._tape.read(self._targets, self._rule, PIXELS)

    def layer(self, name: str = "") -> Tensor:
        """[N, K, h, w]: with respect to a layer; the last features that reach the scores where `name` is empty."""
        return self._tape.read(self._targets, self._rule, self._tape.layer_name(name))
