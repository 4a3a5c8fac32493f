"""Operations that everything that leads from the image to the scores goes through."""

from collections.abc import Iterator, Sequence

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import next_nodes


def bottlenecks(nodes: Sequence[Node]) -> Iterator[Node]:
    """Those of a pass, the latest first.

    Args:
        nodes: all operations of the pass, latest first.
    """
    ahead = set(nodes[:1])
    for node in nodes:
        if ahead == {node}:
            yield node
        ahead.discard(node)
        ahead.update(next_nodes(node))
