"""Operations whose way back may write over the signal that arrives, in place of taking memory for another.

Such operations hardly calculate: they cost what it costs to fetch and to store a signal. What was stored a moment ago
is still near the processor, so that writing over it takes a fraction of the time.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.backward import Way, walk_back
from cnnvis_report.engine.graph.nodes import operation, saved

aten = torch.ops.aten


class GradientWalk:
    """Gradients of one recorded pass, by calling its operations one by one; the numbers are those of PyTorch's own.

    Args:
        nodes: all operations, latest first, each of PyTorch's own.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._scales: dict[Node, Tensor] = {}

    def back(
        self,
        start: Tensor,
        edges: Sequence[GradientEdge],
        other: Callable[[Node], Way | None] = lambda _: None,
    ) -> list[Tensor | None]:
        """Signals at the edges when `start` is sent back from the result of the latest operation.

        Args:
            other: gives another way back through some operations, which may write over the signal; None elsewhere.
        """
        return walk_back(self._nodes, start, edges, overwrite=lambda node: other(node) or self._gradient(node))

    def _gradient(self, node: Node) -> Way | None:
        """The gradient, which may be written over the signal; None where the operation isn't one of those."""
        if operation(node) != "NativeBatchNorm":
            return activation_way(node)
        if saved(node, "training") or any(before is not None for before, _ in node.next_functions[1:]):
            return None
        scale = self._scale(node)
        return lambda signal, into: torch.mul(signal, scale.view(-1, *[1] * (signal.ndim - 2)), out=into)

    def _scale(self, node: Node) -> Tensor:
        """[C]: what a batch norm multiplies each channel with, by its running statistics."""
        if node not in self._scales:
            deviation = (saved(node, "running_var") + saved(node, "eps")).sqrt()
            weight = saved(node, "weight")
            self._scales[node] = deviation.reciprocal() if weight is None else weight.detach() / deviation
        return self._scales[node]


def activation_way(node: Node) -> Way | None:
    """The gradient of a ReLU, with or without a ceiling, or of a SiLU; None for any other operation."""
    match operation(node):
        case "Relu":
            result = saved(node, "result")
            return lambda signal, into: aten.threshold_backward.grad_input(signal, result, 0, grad_input=into)
        case "Hardtanh":
            z, ends = saved(node, "self"), (saved(node, "min_val"), saved(node, "max_val"))
            return lambda signal, into: aten.hardtanh_backward.grad_input(signal, z, *ends, grad_input=into)
        case "Silu":
            z = saved(node, "self")
            return lambda signal, into: aten.silu_backward.grad_input(signal, z, grad_input=into)
    return None
