"""The place that class activation maps read where nobody names one: the last features that reach the scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch.autograd.graph import Node

from cnnvis_report.axes import CHANNELS, COLUMNS, ROWS, UNKNOWN, Axes
from cnnvis_report.graph import order, result_shape
from cnnvis_report.main_path import MainPath, is_content, main_path, rearranges
from cnnvis_report.walk import Edge, inputs

Grid = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """The result of a layer that can be read as feature maps."""

    edge: Edge
    channels: int
    grid: Grid


def last_place(
    nodes: Sequence[Node], axes: Mapping[Edge, Axes], places: Sequence[Place], scoring: Node | None
) -> Edge | None:
    """Where the result of the deepest features is held at its size, before any pooling; None where nowhere.

    Args:
        nodes: the operations of the pass, the latest first.
        axes: as `followed` gives them.
        places: of the layers.
        scoring: a convolution that gives the class scores themselves; it and all after it don't count.
    """
    path = main_path(nodes, axes)
    end = order(nodes[0]) + 1 if scoring is None else order(scoring)
    carrying = [place for place in places if path.carries(place.edge) and order(place.edge[0]) < end]
    for least in (2, 1):  # a single channel is a mask, unless there is nothing else
        kept = [place for place in carrying if place.channels >= least and prod(place.grid) > 1]
        for last, grid in _contents(nodes, axes, path, end, least):
            after = path.behind(last, nodes)
            found = [place.edge for place in kept if place.grid == grid and place.edge[0] in after]
            if found:
                return _settled(max(found, key=lambda edge: order(edge[0])), {place.edge for place in kept})
    return None


def _contents(
    nodes: Sequence[Node], axes: Mapping[Edge, Axes], path: MainPath, end: int, least: int
) -> Iterator[tuple[Node, Grid]]:
    """What has made features with positions, the deepest first, of equally deep ones the latest."""
    found = []
    for node in nodes:
        if is_content(node) and order(node) < end and path.carries((node, 0)):
            channels, grid = _size(axes.get((node, 0)), result_shape(node, 0))
            if channels >= least and prod(grid) > 1:
                found.append((node, grid))
    return iter(sorted(found, key=lambda each: (path.depth[each[0]], order(each[0])), reverse=True))


def _size(axes: Axes | None, shape: tuple[int, ...]) -> tuple[int, Grid]:
    """Channels and grid of a result, which may be one that is no layer's; 0 positions where it has none."""
    if axes is None or any(UNKNOWN in dim.axes for dim in axes):
        return (shape[1], (shape[2], shape[3])) if len(shape) == 4 and shape[0] == 1 else (0, (0, 0))
    channels = prod(size for dim, size in zip(axes, shape, strict=True) if dim.axes == (CHANNELS,))
    held = {dim.axes: (dim.grid, size) for dim, size in zip(axes, shape, strict=True) if dim.has_places}
    if len(held) != sum(dim.has_places for dim in axes):
        return 0, (0, 0)
    if set(held) <= {(ROWS,), (COLUMNS,)}:
        rows, columns = (held.get((axis,), (None, 1))[1] for axis in (ROWS, COLUMNS))
        return channels, (rows, columns)
    grid = held.get((ROWS, COLUMNS), (None, 0))[0]
    return channels, grid if grid and len(held) == 1 else (0, 0)


def _settled(edge: Edge, known: set[Edge]) -> Edge:
    """Where the same values stand before they were put into another order, if that is a layer's result too."""
    current = edge
    while rearranges(current[0]):
        before = [each for each in inputs(current[0]) if each is not None]
        if len(before) != 1 or prod(result_shape(*before[0])) != prod(result_shape(*edge)):
            break
        current = before[0]
        if current in known:
            edge = current
    return edge
