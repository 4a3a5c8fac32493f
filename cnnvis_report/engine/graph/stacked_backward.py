"""Several signals sent back through one recorded pass at once: those of several classes, and of several ReLU rules.

They share what an operation reads, and products grow large enough for the processor. What convolutional networks
consist of has a way back here that is the same in exact arithmetic and faster: a batch norm is folded into the
convolution before it, a 1×1 convolution is one product of matrices, and what nobody else reads is worked on in place.
Other operations are called for one signal after the other.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum, auto
from itertools import groupby

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.folded_weights import FoldedWeights, norm_scale
from cnnvis_report.engine.graph.nodes import operation, order, ordinary, result_shape, results, saved
from cnnvis_report.engine.graph.ops import FEATURE_MAKERS, Kind, is_relu, kind
from cnnvis_report.engine.graph.stacked_operations import (
    Signals,
    has_statistics,
    through_concatenation,
    through_convolution,
    through_linear,
    through_sum,
)

Edge = tuple[Node, int]


class ReluWay(Enum):
    """What a signal R becomes on its way back through a ReLU of z."""

    GRADIENT = auto()  # R·1[z > 0]
    GUIDED = auto()  # R·1[R > 0]·1[z > 0]
    DECONVOLUTION = auto()  # R·1[R > 0]


def can_be_stacked(nodes: Sequence[Node]) -> bool:
    """Whether a pass consists of operations that are known, and makes its features by convolutions and matrices."""
    kinds = {kind(node) for node in nodes}
    products = {operation(node) for node in nodes if kind(node) is Kind.LINEAR}
    return (
        Kind.OTHER not in kinds
        and Kind.CONVOLUTION in kinds
        and kinds & FEATURE_MAKERS <= {Kind.CONVOLUTION, Kind.LINEAR}
        and products <= {"Addmm", "Mm"}
    )


class StackedBackward:
    """The way back through one recorded pass, for any number of signals at once.

    Args:
        nodes: all operations, latest first. weights: of the network, as they have been folded so far.
    """

    def __init__(self, nodes: Sequence[Node], weights: FoldedWeights) -> None:
        self._nodes, self._weights = nodes, weights
        self._users = Counter(edge for node in nodes for edge in node.next_functions)

    def back(self, start: Tensor, ways: Sequence[ReluWay], edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        """Signals [R, …] at the edges when R signals are sent back from the scores; None where none arrives.

        Args:
            start: [R, N, classes]. ways: R, what each does at a ReLU.
        """
        wanted = {(edge.node, edge.output_nr) for edge in edges}
        return _Walk(self._nodes, self._weights, self._folded(wanted), ways).run(start, wanted, edges)

    def _folded(self, wanted: set[Edge]) -> dict[Node, Node]:
        """By convolution, the batch norm that alone reads its result, which nobody wants a signal of."""
        folded = {}
        for node in filter(has_statistics, self._nodes):
            edge = node.next_functions[0]
            before = edge[0]
            alone = self._users[edge] == 1 and edge not in wanted
            if alone and before is not None and kind(before) is Kind.CONVOLUTION and not saved(before, "transposed"):
                folded[before] = node
        return folded


class _Walk:
    """One walk back."""

    def __init__(
        self, nodes: Sequence[Node], weights: FoldedWeights, norms: dict[Node, Node], ways: Sequence[ReluWay]
    ) -> None:
        self._nodes, self._weights, self._norms = nodes, weights, norms
        self._inside = set(norms.values())  # norms that are part of a convolution
        self._ways = [(way, len(list(rows))) for way, rows in groupby(ways)]
        self._rules: dict[Kind, Callable[[Node, Signals], list[Signals | None] | None]] = {
            Kind.CONVOLUTION: self._convolution,
            Kind.BATCH_NORM: self._norm,
            Kind.ADD: through_sum,
            Kind.CONCATENATION: through_concatenation,
            Kind.LINEAR: through_linear,
        }

    def run(self, start: Tensor, wanted: set[Edge], edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        read: dict[Edge, Tensor] = {}
        last = min(order(node) for node, _ in wanted)
        waiting: dict[Node, dict[int, Signals]] = {self._nodes[0]: {0: Signals(start, owned=False)}}
        with torch.no_grad():
            for node in self._nodes:
                if node not in waiting or order(node) < last:
                    continue
                signals = waiting.pop(node)
                for number, arrived in signals.items():
                    if (node, number) in wanted:
                        read[node, number], arrived.owned = arrived.values, False
                if order(node) > last:
                    self._send(node, signals, waiting)
        return [read.get((edge.node, edge.output_nr)) for edge in edges]

    def _send(self, node: Node, signals: dict[int, Signals], waiting: dict[Node, dict[int, Signals]]) -> None:
        sent = None
        if list(signals) == [0]:
            rule = self._relu if is_relu(node) else self._rules.get(kind(node))
            sent = rule(node, signals[0]) if rule is not None else None
        for (before, number), arrived in zip(
            node.next_functions, _one_by_one(node, signals) if sent is None else sent, strict=False
        ):
            if before is not None and arrived is not None:
                slots = waiting.setdefault(before, {})
                slots[number] = slots[number].plus(arrived) if number in slots else arrived

    def _convolution(self, node: Node, signals: Signals) -> list[Signals | None] | None:
        if any(before is not None for before, _ in node.next_functions[1:]):
            return None  # the kernel depends on the image
        rows = len(signals.values)
        weight = self._weights.of(node, self._norms.get(node))
        back = through_convolution(node, signals.values.flatten(0, 1), weight)
        return [Signals(back.unflatten(0, (rows, -1)), owned=True)]

    def _norm(self, node: Node, signals: Signals) -> list[Signals | None] | None:
        if node in self._inside:
            return [signals]
        if not has_statistics(node):
            return None
        scale = norm_scale(node).view(-1, *[1] * (signals.values.ndim - 3))
        return [Signals(signals.values.mul_(scale) if signals.owned else signals.values * scale, owned=True)]

    def _relu(self, node: Node, signals: Signals) -> list[Signals | None] | None:
        result = saved(node, "result") if operation(node) == "Relu" else None
        if result is None and any(way is not ReluWay.DECONVOLUTION for way, _ in self._ways):
            return self._relu_one_by_one(node, signals)
        values = signals.values if signals.owned else torch.empty_like(signals.values)
        first = 0
        for way, count in self._ways:
            source, target = (part[first : first + count] for part in (signals.values, values))
            if way is not ReluWay.GRADIENT:
                source = torch.clamp(source, min=0, out=target)
            if way is not ReluWay.DECONVOLUTION:
                torch.ops.aten.threshold_backward.grad_input(source, result, 0, grad_input=target)
            first += count
        return [Signals(values, owned=True)]

    def _relu_one_by_one(self, node: Node, signals: Signals) -> list[Signals | None]:
        """A ReLU with a ceiling, or one that is written otherwise."""
        ways = [way for way, count in self._ways for _ in range(count)]
        rows = []
        for way, row in zip(ways, signals.values, strict=True):
            back = row if way is ReluWay.DECONVOLUTION else ordinary(node, [row])[0]
            assert back is not None
            rows.append(back if way is ReluWay.GRADIENT else back.clamp(min=0))
        return [Signals(_stacked(rows), owned=True)]


def _one_by_one(node: Node, signals: dict[int, Signals]) -> list[Signals | None]:
    """The operation's own way back, for one signal after the other."""
    count = len(next(iter(signals.values())).values)
    numbers = range(results(node))
    parts = [
        ordinary(node, [signals[number].values[row] if number in signals else None for number in numbers])
        for row in range(count)
    ]
    shapes = [None if before is None else result_shape(before, number) for before, number in node.next_functions]
    sent: list[Signals | None] = []
    for shape, rows in zip(shapes, zip(*parts, strict=True), strict=False):
        arrived = [row if row is None or shape is None else row.sum_to_size(shape) for row in rows]
        tensors = [row for row in arrived if row is not None]
        sent.append(Signals(_stacked(tensors), owned=count > 1) if len(tensors) == count else None)
    return sent


def _stacked(rows: Sequence[Tensor]) -> Tensor:
    """[R, …] of R tensors, each in the memory layout that the first has."""
    if len(rows) == 1:
        return rows[0].unsqueeze(0)
    like = torch.empty_like(rows[0])
    stacked = like.new_empty_strided((len(rows), *like.shape), (like.numel(), *like.stride()))
    for target, row in zip(stacked, rows, strict=True):
        target.copy_(row)
    return stacked
