"""Which results carry the features that reach the scores, and which only weigh them: gates, masks, attention maps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import Axes
from cnnvis_report.engine.graph.axis_rules import part
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.nodes import operation, result_shape, results, saved
from cnnvis_report.engine.graph.ops import FEATURE_MAKERS, JOINS, REORDERS, SUMS, Kind, Step, kind

SURE, LIKELY = 2, 1  # how much an activation speaks for a gate where two operands of a product are alike
BOUNDED = {
    **dict.fromkeys((Kind.SIGMOID, Kind.SOFTMAX), SURE),
    **dict.fromkeys((Kind.TANH, Kind.HARDTANH, Kind.CLAMP, Kind.CLAMP_ONE_SIDE), LIKELY),
}
REARRANGES = REORDERS | {Kind.VIEW}
KEEPS_BOUNDS = (
    REARRANGES
    | JOINS
    | SUMS
    | {
        *(Kind.PART, Kind.MULTIPLY, Kind.DIVIDE, Kind.EXPAND, Kind.REPEAT, Kind.INDEX, Kind.DROPOUT),
        Kind.UPSAMPLING,
    }
)
CONVOLVED = {Kind.CONVOLUTION, Kind.BATCH_NORM}
REST, PLACES = 1, 2  # what of a result reaches the scores: tokens without a position, the others
# the other inputs say how, not what
FIRST_ALONE = (Kind.CONVOLUTION, Kind.DEFORMABLE_CONVOLUTION, Kind.SAMPLING, Kind.DIVIDE)
PRODUCTS = (Kind.MATRIX_PRODUCT, Kind.LINEAR)


@dataclass(frozen=True)
class MainPath:
    """The operations whose results reach the scores as values.

    values: by operation, the inputs that it passes on. reach: by result, `REST` and `PLACES` together. depth: how many
    convolutions, linear layers and attentions have made it, along the longest path, and how many of them mix positions.
    projections: results that an attention takes its values from, and is a part of.
    """

    values: Mapping[Node, Sequence[Edge]]
    reach: Mapping[Edge, int]
    depth: Mapping[Node, tuple[int, int]]
    projections: frozenset[Edge]

    def carries(self, edge: Edge) -> bool:
        """Whether features at the positions of a result reach the scores."""
        return bool(self.reach.get(edge, 0) & PLACES) and edge not in self.projections

    def behind(self, start: Node, nodes: Sequence[Node]) -> set[Node]:
        """The operations that work on a result, and those on theirs; the start is one of them."""
        dependents = {start}
        for node in reversed(nodes):
            if node not in dependents and any(edge[0] in dependents for edge in self.values[node]):
                dependents.add(node)
        return dependents


def main_path(nodes: Sequence[Node], axes: Mapping[Edge, Axes]) -> MainPath:
    """Follow the scores back along what is passed on, and leave out what it is only multiplied with.

    Args:
        nodes: as `recorded` gives them, the latest first.
        axes: as `followed` gives them.
    """
    bounds = _bounds(nodes)
    values = {node: list(_values(node, bounds)) for node in nodes}
    reach: dict[Edge, int] = {(nodes[0], number): REST | PLACES for number in range(results(nodes[0]))}
    for node in nodes:
        for number in range(results(node)):
            sent = reach.get((node, number), 0)
            if sent:
                for edge in values[node]:
                    reach[edge] = reach.get(edge, 0) | _passed(node, number, edge, sent, axes)
    depth: dict[Node, tuple[int, int]] = {}
    for node in reversed(nodes):
        count, mixing = max((depth[edge[0]] for edge in values[node]), default=(0, 0))
        depth[node] = (count + (kind(node) in FEATURE_MAKERS), mixing + _mixes(node))
    return MainPath(values, reach, depth, frozenset(_projections(nodes, values, bounds)))


def _mixes(node: Node) -> bool:
    """Whether the operation makes features out of those of several positions."""
    if kind(node) is Kind.CONVOLUTION:
        return bool(prod(saved(node, "weight").shape[2:]) > 1)
    return kind(node) in FEATURE_MAKERS - {Kind.LINEAR}


def rearranges(node: Node) -> bool:
    """Whether the operation gives the same values in another order or shape."""
    return kind(node) in REARRANGES


def _bounds(nodes: Sequence[Node]) -> dict[Node, int]:
    """How much each result looks like a gate: one that comes straight from a bounded activation does."""
    bounds: dict[Node, int] = {}
    for node in reversed(nodes):
        does = kind(node)
        if does in BOUNDED:
            bounds[node] = BOUNDED[does]
        elif does in KEEPS_BOUNDS:
            bounds[node] = min((bounds[edge[0]] for edge in inputs(node) if edge is not None), default=0)
        else:
            bounds[node] = 0
    return bounds


def _values(node: Node, bounds: Mapping[Node, int]) -> Iterator[Edge]:
    """The inputs that the operation passes on, not those that only say how much of them."""
    edges = [edge for edge in inputs(node) if edge is not None]
    does = kind(node)
    if does is Kind.ATTENTION:
        yield from (edge for edge in inputs(node)[2:3] if edge is not None)
    elif does in FIRST_ALONE:
        yield from (edge for edge in inputs(node)[:1] if edge is not None)
    elif len(edges) == 2 and (does is Kind.MULTIPLY or does in PRODUCTS):
        gate = _gate(node, edges, bounds)
        yield from (edge for index, edge in enumerate(edges) if index != gate)
    else:
        yield from edges


def _gate(node: Node, edges: Sequence[Edge], bounds: Mapping[Node, int]) -> int | None:
    """Which of two factors weighs the other: the one that is broadcast, or comes from a sigmoid or softmax."""
    if kind(node) is Kind.MULTIPLY:
        whole = prod(result_shape(node, 0))
        first, second = (prod(result_shape(*edge)) < whole for edge in edges)
        if first != second:
            return 0 if first else 1
    one, other = (bounds.get(edge[0], 0) for edge in edges)
    return None if one == other else int(other > one)


def _passed(node: Node, number: int, edge: Edge, sent: int, axes: Mapping[Edge, Axes]) -> int:
    """What of an input reaches the scores where `sent` of a result does."""
    before, after = axes.get(edge), axes.get((node, number))
    does = kind(node)
    tokens = before is not None and any(dim.extra for dim in before)
    adds = does in (Kind.CONCATENATION, Kind.CONSTANT_PADDING) and after is not None and any(dim.extra for dim in after)
    if adds and not tokens:
        at_grid = before is not None and any(dim.grid for dim in before)
        return (sent & PLACES and REST | PLACES) if at_grid else (sent & REST and REST | PLACES)
    if before is None or not tokens:
        return REST | PLACES
    if does is Kind.PART:
        dim, start, stop = part(Step(node, number, result_shape(*edge), result_shape(node, number)))
        whole, dimension = result_shape(*edge)[dim], before[dim]
        if dimension.extra:
            touches_grid = start < whole - dimension.after and stop > dimension.before
            rest = start < dimension.before or stop > whole - dimension.after
            return (
                sent & (touches_grid * PLACES | rest * REST)
                if touches_grid and rest
                else touches_grid * PLACES | rest * REST
            )
        return sent
    mixed = after is None or not any(dim.extra for dim in after) or _contracts(node, edge, before)
    return REST | PLACES if mixed else sent


def _contracts(node: Node, edge: Edge, before: Axes) -> bool:
    """Whether the operation sums over the tokens of this input."""
    if kind(node) is Kind.ATTENTION:
        return True
    if kind(node) is Kind.MATRIX_PRODUCT or (kind(node) is Kind.LINEAR and None not in inputs(node)[-2:]):
        is_second = edge == [source for source in inputs(node) if source is not None][-1]
        return bool(before[-2 if is_second else -1].extra)
    return kind(node) is Kind.LINEAR and bool(before[-1].extra)


def _projections(
    nodes: Sequence[Node], values: Mapping[Node, list[Edge]], bounds: Mapping[Node, int]
) -> Iterator[Edge]:
    """What leads from a linear layer or convolution to the values of an attention or gate, and to nothing else."""
    uses = Counter(edge for node in nodes for edge in inputs(node) if edge is not None)
    for node in nodes:
        name, edges = operation(node), [edge for edge in inputs(node) if edge is not None]
        weighs = len(edges) == 2 and len(values[node]) == 1
        attends = kind(node) is Kind.ATTENTION or (weighs and _is_weighed(node, bounds))
        if not values[node] or not (attends or name == "Glu" or (weighs and name == "Mul")):
            continue
        chain = [values[node][0]]
        while kind(chain[-1][0]) in REARRANGES | {Kind.PART, Kind.EXPAND, Kind.ADD}:
            before = values[chain[-1][0]]
            if len(before) != 1:
                break
            chain += before
        parts = {operation(edge[0]) for edge in chain if kind(edge[0]) is Kind.PART}
        alone = bool(parts) if attends else name == "Glu" or bool(parts - {"Select", "Slice"})
        if kind(chain[-1][0]) in FEATURE_MAKERS and (alone or (attends and all(uses[edge] == 1 for edge in chain))):
            yield from chain
            if attends and not parts:
                yield from _leads_on(chain[-1][0], uses)


def _leads_on(node: Node, uses: Counter[Edge]) -> Iterator[Edge]:
    """What leads through convolutions to a layer that makes values, and to nothing else."""
    for edge in inputs(node):
        if edge is not None and uses[edge] == 1 and kind(edge[0]) in REARRANGES | JOINS | CONVOLVED:
            yield edge
            yield from _leads_on(edge[0], uses)


def _is_weighed(node: Node, bounds: Mapping[Node, int]) -> bool:
    """Whether the operation is the last product of an attention written out: of a softmax with values."""
    edges = [edge for edge in inputs(node) if edge is not None]
    return kind(node) in PRODUCTS and len(edges) == 2 and len({bounds.get(edge[0], 0) for edge in edges}) == 2
