"""A way back through a recorded pass in which any operation can be given another rule.

PyTorch's own backward pass takes rules as hooks, which run after the operation's own way back and so pay for both.
Here the operations are called one by one, latest first, and those that a rule answers for aren't called at all.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.nodes import order, ordinary, result_shape, results
from cnnvis_report.engine.graph.ops import Kind, kind

Signals = Sequence[Tensor | None]
Edge = tuple[Node, int]
Sent = Sequence[tuple[Edge, Tensor]]
Visit = Callable[[Node, Signals], Sent | None]
Way = Callable[[Tensor, Tensor], Tensor]  # of a signal, and where to put the result, which may be the signal itself
Overwrite = Callable[[Node], Way | None]

# their own way back gives a tensor that is in nobody else's hands; of others it may be the one that arrived, or a part
FRESH = frozenset(
    {
        *(Kind.CONVOLUTION, Kind.BATCH_NORM, Kind.POOLING, Kind.ADAPTIVE_POOLING, Kind.UPSAMPLING),
        *(Kind.RELU, Kind.HARDTANH, Kind.SMOOTH, Kind.MULTIPLY),
    }
)


def never(_: object, __: object = None) -> None:
    """No rule: every operation's own way back."""


def walk_back(
    nodes: Sequence[Node],
    start: Tensor,
    edges: Sequence[GradientEdge],
    visit: Visit = never,
    *,
    overwrite: Overwrite = never,
) -> list[Tensor | None]:
    """Signals at results of operations when `start` is sent back from the result of the latest operation.

    Args:
        nodes: all operations, latest first.
        start: the signal at the result of the first of them.
        edges: where signals are read, before the operation that gives the value answers.
        visit: called with a node and the signals at its results; gives the signals that it sends and where to, or
            None for the operation's own way back. A signal for an input that was broadcast is summed on arrival.
        overwrite: asked where `visit` gives None; gives a way back to the operation's first input that may put its
            result where the signal was; None for the operation's own way back.

    Returns:
        One signal for each edge; None where none arrives.
    """
    wanted = {(edge.node, edge.output_nr): None for edge in edges}
    read: dict[Edge, Tensor | None] = dict(wanted)
    last = min(order(node) for node, _ in wanted)
    waiting = _Waiting()
    waiting.add((nodes[0], 0), start, ours=False)
    with torch.no_grad():
        for node in nodes:
            if node not in waiting.signals or order(node) < last:
                continue
            signals = waiting.signals.pop(node)
            for number, signal in signals.items():
                if (node, number) in wanted:
                    read[node, number] = signal
                    waiting.ours.discard((node, number))
            if order(node) > last:
                _send(node, [signals.get(number) for number in range(results(node))], visit, overwrite, waiting)
    return [read[edge.node, edge.output_nr] for edge in edges]


def inputs(node: Node) -> list[Edge | None]:
    """Where the operation's inputs come from; None for an input that doesn't depend on the image."""
    return [None if before is None else (before, number) for before, number in node.next_functions]


class _Waiting:
    """Signals that have arrived at results of operations.

    ours: where the signal is one that nobody else reads, so that it may be written over.
    """

    def __init__(self) -> None:
        self.signals: dict[Node, dict[int, Tensor]] = {}
        self.ours: set[Edge] = set()

    def add(self, edge: Edge, signal: Tensor, *, ours: bool) -> None:
        """Another signal for a result; what has arrived there before is added to it."""
        node, number = edge
        shape = result_shape(node, number)
        if tuple(signal.shape) != shape:
            signal, ours = signal.sum_to_size(shape), False
        slots = self.signals.setdefault(node, {})
        if number in slots:
            before = slots[number]
            if before.dtype != signal.dtype or not (ours or edge in self.ours):
                signal = before + signal
            else:
                signal = before.add_(signal) if edge in self.ours else signal.add_(before)
            ours = True
        slots[number] = signal
        if ours:
            self.ours.add(edge)


def _send(node: Node, signals: Signals, visit: Visit, overwrite: Overwrite, waiting: _Waiting) -> None:
    ours = (node, 0) in waiting.ours
    waiting.ours.difference_update([(node, number) for number in range(len(signals))])
    sent = visit(node, signals)
    if sent is not None:
        for edge, signal_sent in sent:
            waiting.add(edge, signal_sent, ours=False)
        return
    first, signal = inputs(node)[0], signals[0]
    way = overwrite(node) if first is not None and signal is not None else None
    if way is not None and first is not None and signal is not None:
        waiting.add(first, way(signal, signal if ours else torch.empty_like(signal)), ours=True)
        return
    fresh = kind(node) in FRESH
    for before, result in zip(inputs(node), ordinary(node, signals), strict=False):
        if before is not None and result is not None:
            waiting.add(before, result, ours=fresh)
