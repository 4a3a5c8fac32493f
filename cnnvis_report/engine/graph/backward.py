"""A way back through a recorded pass in which any operation can be given another rule.

PyTorch's own backward pass takes rules as hooks, which run after the operation's own way back and so pay for both.
Here the operations are called one by one, latest first, and those that a rule answers for aren't called at all.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.nodes import order, ordinary, result_shape, results

Signals = Sequence[Tensor | None]
Edge = tuple[Node, int]
Sent = Sequence[tuple[Edge, Tensor]]
Visit = Callable[[Node, Signals], Sent | None]


def walk_back(nodes: Sequence[Node], start: Tensor, edges: Sequence[GradientEdge], visit: Visit) -> list[Tensor | None]:
    """Signals at results of operations when `start` is sent back from the result of the latest operation.

    Args:
        nodes: all operations, latest first.
        start: the signal at the result of the first of them.
        edges: where signals are read, before the operation that gives the value answers.
        visit: called with a node and the signals at its results; gives the signals that it sends and where to, or
            None for the operation's own way back. A signal for an input that was broadcast is summed on arrival.

    Returns:
        One signal for each edge; None where none arrives.
    """
    wanted = {(edge.node, edge.output_nr): None for edge in edges}
    read: dict[Edge, Tensor | None] = dict(wanted)
    last = min(order(node) for node, _ in wanted)
    waiting: dict[Node, dict[int, Tensor]] = {nodes[0]: {0: start}}
    with torch.no_grad():
        for node in nodes:
            if node not in waiting or order(node) < last:
                continue
            signals = waiting.pop(node)
            for number, signal in signals.items():
                if (node, number) in wanted:
                    read[node, number] = signal
            if order(node) > last:
                _send(node, [signals.get(number) for number in range(results(node))], visit, waiting)
    return [read[edge.node, edge.output_nr] for edge in edges]


def inputs(node: Node) -> list[Edge | None]:
    """Where the operation's inputs come from; None for an input that doesn't depend on the image."""
    return [None if before is None else (before, number) for before, number in node.next_functions]


def _send(node: Node, signals: Signals, visit: Visit, waiting: dict[Node, dict[int, Tensor]]) -> None:
    sent = visit(node, signals)
    if sent is None:
        pairs = zip(inputs(node), ordinary(node, signals), strict=False)
        sent = [(edge, signal) for edge, signal in pairs if edge is not None and signal is not None]
    for (before, number), signal in sent:
        shape = result_shape(before, number)
        arrived = signal if tuple(signal.shape) == shape else signal.sum_to_size(shape)
        slots = waiting.setdefault(before, {})
        slots[number] = slots[number] + arrived if number in slots else arrived
