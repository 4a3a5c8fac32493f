"""The place that class activation maps read where nobody names one: the last features that reach the scores."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import CHANNELS, COLUMNS, ROWS, UNKNOWN, Axes
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.feature_path import MainPath, main_path, rearranges
from cnnvis_report.engine.graph.nodes import order, result_shape
from cnnvis_report.engine.graph.ops import FEATURE_MAKERS, JOINS, SUMS, kind

Grid = tuple[int, int]


@dataclass(frozen=True)
class Candidate:
    """The result of a layer that can be read as feature maps."""

    edge: Edge
    channels: int
    grid: Grid


def default_edge(
    nodes: Sequence[Node],
    axes: Mapping[Edge, Axes],
    candidates: Sequence[Candidate],
    outputs: Collection[int] = (),
) -> tuple[Edge, int] | None:
    """Where the result of the deepest features is held at its size, before any pooling; None where nowhere.

    With it, how many branches are joined behind that edge, itself one of them, by no layer: 1 where it is the whole.

    Maps of class scores, which no layer weighs any more, don't count, nor does a single channel, which is a mask;
    unless there is nothing else.

    Args:
        nodes: the operations of the pass, the latest first.
        axes: as `followed` gives them.
        candidates: of the layers.
        outputs: how many channels the network's own outputs have, of which something else makes the scores.
    """
    path = main_path(nodes, axes)
    contents = list(_contents(nodes, axes, path))
    carrying = [candidate for candidate in candidates if path.carries(candidate.edge) and prod(candidate.grid) > 1]
    votes = _votes(nodes, axes, path, contents, {result_shape(nodes[0], 0)[-1], *outputs})
    for least, left_out in ((2, votes), (2, set()), (1, set())):
        eligible = [
            candidate for candidate in carrying if candidate.channels >= least and candidate.edge[0] not in left_out
        ]
        for last in contents:
            if last.channels < least or last.edge[0] in left_out:
                continue
            after = path.behind(last.edge[0], nodes)
            edges = [
                candidate.edge for candidate in eligible if candidate.grid == last.grid and candidate.edge[0] in after
            ]
            if edges:
                edge = max(edges, key=lambda edge: order(edge[0]))
                return _settled(edge, {candidate.edge for candidate in eligible}), _branches(
                    edge, last.grid, nodes, axes, path
                )
    return None


def _branches(edge: Edge, grid: Grid, nodes: Sequence[Node], axes: Mapping[Edge, Axes], path: MainPath) -> int:
    """How many features of this grid are added to a result, or set beside it, before anything is made of them."""
    joined: set[Node] = {edge[0]}
    others: set[Edge] = set()
    behind = path.behind(edge[0], nodes)
    for node in sorted(behind - joined, key=order):
        if kind(node) in FEATURE_MAKERS or not any(before in joined for before, _ in path.values[node]):
            continue
        joined.add(node)
        if kind(node) in JOINS | SUMS:
            others |= {source for source in path.values[node] if source[0] not in behind and path.carries(source)}
    return 1 + sum(_size(axes.get(other), result_shape(*other))[1] == grid for other in others)


def _contents(nodes: Sequence[Node], axes: Mapping[Edge, Axes], path: MainPath) -> list[Candidate]:
    """What has made features with positions, the deepest first, of equally deep ones the latest."""
    candidates = []
    for node in nodes:
        if kind(node) in FEATURE_MAKERS and path.carries((node, 0)):
            channels, grid = _size(axes.get((node, 0)), result_shape(node, 0))
            if channels and prod(grid) > 1:
                candidates.append(Candidate((node, 0), channels, grid))
    return sorted(
        candidates, key=lambda candidate: (path.depth[candidate.edge[0]], order(candidate.edge[0])), reverse=True
    )


def _votes(
    nodes: Sequence[Node],
    axes: Mapping[Edge, Axes],
    path: MainPath,
    contents: Sequence[Candidate],
    classes: Collection[int],
) -> set[Node]:
    """What gives class scores at positions, and what works on them alone: no layer follows."""
    followed: set[Node] = set()
    for node in nodes:
        if kind(node) in FEATURE_MAKERS or node in followed:
            followed |= {before for before, _ in path.values[node]}
    votes: set[Node] = set()
    for candidate in contents:
        if candidate.channels in classes and candidate.edge[0] not in followed:
            after = path.behind(candidate.edge[0], nodes)
            maps = [node for node in after if prod(_size(axes.get((node, 0)), result_shape(node, 0))[1]) > 1]
            if all(
                before in after for node in maps if node is not candidate.edge[0] for before, _ in path.values[node]
            ):
                votes |= after
    return votes


def _size(axes: Axes | None, shape: tuple[int, ...]) -> tuple[int, Grid]:
    """Channels and grid of a result, which may be one that is no layer's; 0 positions where it has none."""
    if axes is None or any(UNKNOWN in dim.axes for dim in axes):
        return (shape[1], (shape[2], shape[3])) if len(shape) == 4 and shape[0] == 1 else (0, (0, 0))
    channels = prod(size for dim, size in zip(axes, shape, strict=True) if dim.axes == (CHANNELS,))
    sizes = {dim.axes: (dim.grid, size) for dim, size in zip(axes, shape, strict=True) if dim.has_places}
    if len(sizes) != sum(dim.has_places for dim in axes):
        return 0, (0, 0)
    if set(sizes) <= {(ROWS,), (COLUMNS,)}:
        rows, columns = (sizes.get((axis,), (None, 1))[1] for axis in (ROWS, COLUMNS))
        return channels, (rows, columns)
    grid = sizes.get((ROWS, COLUMNS), (None, 0))[0]
    return channels, grid if grid and len(sizes) == 1 else (0, 0)


def _settled(edge: Edge, known: set[Edge]) -> Edge:
    """Where the same values stand before they were put into another order, if that is a layer's result too."""
    current = edge
    while rearranges(current[0]):
        before = [source for source in inputs(current[0]) if source is not None]
        if len(before) != 1 or prod(result_shape(*before[0])) != prod(result_shape(*edge)):
            break
        current = before[0]
        if current in known:
            edge = current
    return edge
