"""Two other ways back through a ReLU, for guided backpropagation and the deconvolutional network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.backward import Way
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import ordinary
from cnnvis_report.engine.graph.ops import is_relu, other_activation
from cnnvis_report.engine.graph.overwriting import activation_way
from cnnvis_report.errors import NotApplicable

Parts = tuple[Tensor | None, ...]


@dataclass(frozen=True)
class ReluRule:
    """A rule for every ReLU of the graph, with or without a ceiling.

    gated: whether the result keeps the gate of the forward pass, 1[z > 0] (and z < 6 for ReLU6).

    guided backpropagation (gated):   R·1[R > 0]·1[z > 0], Springenberg et al. 2014, arXiv:1412.6806
    deconvolutional network:          R·1[R > 0],           Zeiler & Fergus 2013, arXiv:1311.2901
    """

    gated: bool

    layer_inputs: ClassVar[bool] = False

    def coverage(self, recorded: RecordedPass) -> str:
        """Such as "17 of 17 ReLU calls".

        Raises:
            NotApplicable: there is no ReLU, or other activations stand beside it.
        """
        relus = sum(map(is_relu, recorded.nodes))
        others = Counter(name for name in map(other_activation, recorded.nodes) if name)
        if others:
            counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
            plural = "s have" if sum(others.values()) > 1 else " has"
            raise NotApplicable(f"{counts} activation{plural} no ReLU rule")
        if not relus:
            raise NotApplicable("the network has no ReLU")
        return f"{relus} of {relus} ReLU calls"

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> Sequence[Tensor | None]:
        """Signals at the edges, when `start` is sent back from the scores."""
        if recorded.walk is not None:
            return recorded.walk.back(start, edges, self._overwriting)
        hook = _gated if self.gated else _ungated
        handles = [node.register_hook(hook) for node in recorded.nodes if is_relu(node)]
        try:
            return recorded.gradients(start, edges)
        finally:
            for handle in handles:
                handle.remove()

    def _overwriting(self, node: Node) -> Way | None:
        """The rule's way back through a ReLU; None through any other operation."""
        if not is_relu(node):
            return None
        if not self.gated:
            return lambda signal, into: torch.clamp(signal, min=0, out=into)
        gate = activation_way(node) or partial(_ordinary, node)
        return lambda signal, into: gate(signal, into).clamp_(min=0)


def _ordinary(node: Node, signal: Tensor, _: Tensor) -> Tensor:
    (first, *_rest) = ordinary(node, [signal])
    assert first is not None  # the image is behind it
    return first


def _gated(grad_inputs: Parts, _: Parts) -> Parts | None:
    if grad_inputs[0] is None:
        return None
    return (grad_inputs[0].clamp_(min=0), *grad_inputs[1:])  # in place: this operation has just made it


def _ungated(grad_inputs: Parts, grad_outputs: Parts) -> Parts | None:
    if grad_outputs[0] is None:
        return None
    if grad_inputs[0] is None:
        return (grad_outputs[0].clamp(min=0), *grad_inputs[1:])
    return (torch.clamp(grad_outputs[0], min=0, out=grad_inputs[0]), *grad_inputs[1:])  # into memory that is there


GUIDED = ReluRule(gated=True)
DECONVOLUTION = ReluRule(gated=False)
