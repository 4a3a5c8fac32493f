"""Which results carry the features that reach the scores, and which only weigh them: gates, masks, attention maps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import Axes
from cnnvis_report.engine.graph.axis_rules import PARTS, PRODUCTS, is_attention, part
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.nodes import operation, result_shape, results, saved
from cnnvis_report.engine.graph.op_kinds import LINEAR, RESHAPES, Step

SURE, LIKELY = 2, 1  # how much an activation speaks for a gate where two operands of a product are alike
BOUNDED = {
    **dict.fromkeys(("Sigmoid", "Hardsigmoid", "Softmax"), SURE),
    **dict.fromkeys(("Tanh", "Hardtanh", "Clamp", "ClampMin", "ClampMax"), LIKELY),
}
ORDERS = {"Permute", "Transpose", "T", "Clone", "Alias", "AsStrided", "ToCopy"}
KEEPS_BOUNDS = (
    RESHAPES
    | ORDERS
    | PARTS
    | {
        *("Add", "Sub", "Rsub", "Mul", "Div", "Cat", "Stack", "Expand", "Repeat", "Index", "NativeDropout"),
        *("UpsampleNearest2D", "UpsampleNearestExact2D", "UpsampleBilinear2D", "UpsampleBicubic2D"),
    }
)
REST, PLACES = 1, 2  # what of a result reaches the scores: tokens without a position, the others
FIRST_ALONE = ("Convolution", "GridSampler2D", "CudnnGridSampler", "DeformConv2D")  # the others say how, not what


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
        found = {start}
        for node in reversed(nodes):
            if node not in found and any(edge[0] in found for edge in self.values[node]):
                found.add(node)
        return found


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
        depth[node] = (count + is_content(node), mixing + _mixes(node))
    return MainPath(values, reach, depth, frozenset(_projections(nodes, values, bounds)))


def is_content(node: Node) -> bool:
    """Whether the operation makes features out of features."""
    name = operation(node)
    return name in LINEAR | PRODUCTS | {"Convolution", "DeformConv2D"} or is_attention(node)


def _mixes(node: Node) -> bool:
    """Whether the operation makes features out of those of several positions."""
    if operation(node) == "Convolution":
        return bool(prod(saved(node, "weight").shape[2:]) > 1)
    return is_content(node) and operation(node) not in LINEAR


def rearranges(node: Node) -> bool:
    """Whether the operation gives the same values in another order or shape."""
    return operation(node) in RESHAPES | ORDERS


def _bounds(nodes: Sequence[Node]) -> dict[Node, int]:
    """How much each result looks like a gate: one that comes straight from a bounded activation does."""
    found: dict[Node, int] = {}
    for node in reversed(nodes):
        name = operation(node)
        if name in BOUNDED:
            found[node] = BOUNDED[name]
        elif name in KEEPS_BOUNDS:
            found[node] = min((found[edge[0]] for edge in inputs(node) if edge is not None), default=0)
        else:
            found[node] = 0
    return found


def _values(node: Node, bounds: Mapping[Node, int]) -> Iterator[Edge]:
    """The inputs that the operation passes on, not those that only say how much of them."""
    given = [edge for edge in inputs(node) if edge is not None]
    name = operation(node)
    if is_attention(node):
        yield from (edge for edge in inputs(node)[2:3] if edge is not None)
    elif name in FIRST_ALONE or name == "Div":
        yield from (edge for edge in inputs(node)[:1] if edge is not None)
    elif len(given) == 2 and (name == "Mul" or name in PRODUCTS or name in LINEAR):
        gate = _gate(node, given, bounds)
        yield from (edge for place, edge in enumerate(given) if place != gate)
    else:
        yield from given


def _gate(node: Node, given: Sequence[Edge], bounds: Mapping[Node, int]) -> int | None:
    """Which of two factors weighs the other: the one that is broadcast, or comes from a sigmoid or softmax."""
    if operation(node) == "Mul":
        whole = prod(result_shape(node, 0))
        first, second = (prod(result_shape(*edge)) < whole for edge in given)
        if first != second:
            return 0 if first else 1
    one, other = (bounds.get(edge[0], 0) for edge in given)
    return None if one == other else int(other > one)


def _passed(node: Node, number: int, edge: Edge, sent: int, axes: Mapping[Edge, Axes]) -> int:
    """What of an input reaches the scores where `sent` of a result does."""
    before, after = axes.get(edge), axes.get((node, number))
    name = operation(node)
    tokens = before is not None and any(dim.extra for dim in before)
    if name in ("Cat", "ConstantPadNd") and not tokens and after is not None and any(dim.extra for dim in after):
        at_grid = before is not None and any(dim.grid for dim in before)
        return (sent & PLACES and REST | PLACES) if at_grid else (sent & REST and REST | PLACES)
    if before is None or not tokens:
        return REST | PLACES
    if name in PARTS:
        dim, start, stop = part(Step(node, number, result_shape(*edge), result_shape(node, number)))
        whole, own = result_shape(*edge)[dim], before[dim]
        if own.extra:
            places = start < whole - own.after and stop > own.before
            rest = start < own.before or stop > whole - own.after
            return sent & (places * PLACES | rest * REST) if places and rest else places * PLACES | rest * REST
        return sent
    mixed = after is None or not any(dim.extra for dim in after) or _contracts(node, edge, before)
    return REST | PLACES if mixed else sent


def _contracts(node: Node, edge: Edge, before: Axes) -> bool:
    """Whether the operation sums over the tokens of this input."""
    if is_attention(node):
        return True
    if operation(node) in PRODUCTS or (operation(node) in LINEAR and None not in inputs(node)[-2:]):
        is_second = edge == [each for each in inputs(node) if each is not None][-1]
        return bool(before[-2 if is_second else -1].extra)
    return operation(node) in LINEAR and bool(before[-1].extra)


def _projections(
    nodes: Sequence[Node], values: Mapping[Node, list[Edge]], bounds: Mapping[Node, int]
) -> Iterator[Edge]:
    """What leads from a linear layer or convolution to the values of an attention or gate, and to nothing else."""
    uses = Counter(edge for node in nodes for edge in inputs(node) if edge is not None)
    for node in nodes:
        name, given = operation(node), [edge for edge in inputs(node) if edge is not None]
        weighs = len(given) == 2 and len(values[node]) == 1
        attends = is_attention(node) or (weighs and _is_weighed(node, bounds))
        if not values[node] or not (attends or name == "Glu" or (weighs and name == "Mul")):
            continue
        chain = [values[node][0]]
        while operation(chain[-1][0]) in RESHAPES | ORDERS | PARTS | {"Expand", "Add"}:
            before = values[chain[-1][0]]
            if len(before) != 1:
                break
            chain += before
        parts = {operation(edge[0]) for edge in chain} & PARTS
        alone = bool(parts) if attends else name == "Glu" or bool(parts - {"Select", "Slice"})
        if is_content(chain[-1][0]) and (alone or (attends and all(uses[edge] == 1 for edge in chain))):
            yield from chain


def _is_weighed(node: Node, bounds: Mapping[Node, int]) -> bool:
    """Whether the operation is the last product of an attention written out: of a softmax with values."""
    given = [edge for edge in inputs(node) if edge is not None]
    products = operation(node) in PRODUCTS or operation(node) in LINEAR
    return products and len(given) == 2 and len({bounds.get(edge[0], 0) for edge in given}) == 2
