"""Whether all attention of a network looks at one grid of tokens, so that it can be followed from layer to layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.attention import Attention, attentions, other_products
from cnnvis_report.engine.graph.axes import UNKNOWN, Axes, Dim
from cnnvis_report.engine.graph.axis_rules import part
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.feature_path import MainPath, main_path
from cnnvis_report.engine.graph.layouts import Layout
from cnnvis_report.engine.graph.nodes import operation, result_shape, saved, saved_dims
from cnnvis_report.engine.graph.ops import POOLS, Kind, Step, kind
from cnnvis_report.errors import NotApplicable

Rows = tuple[int, int | None]  # from one to before another; from the end where negative, to the end where None


@dataclass(frozen=True)
class TokenAttention:
    """Attention over one grid of tokens, layer after layer.

    layout: of the tokens, as N×1×tokens. reads: the rows that the scores are read from.
    """

    layout: Layout
    reads: tuple[Rows, ...]

    def row(self, tokens: int, like: Tensor) -> Tensor:
        """[tokens]: how much the scores take of each token behind the last layer, all that they read alike."""
        row = like.new_zeros(tokens)
        for first, stop in self.reads:
            row[first:stop] = 1
        return row / row.sum()


def find_token_attention(nodes: Sequence[Node], axes: Mapping[Edge, Axes]) -> TokenAttention | str:
    """The tokens that all attention looks at, or why there is no such grid.

    Args:
        nodes: as `recorded` gives them, the latest first.
        axes: as `followed` gives them.
    """
    try:
        return _found(nodes, axes, attentions(nodes))
    except NotApplicable as error:
        return str(error)  # not the error: its traceback would hold the graph


def _found(nodes: Sequence[Node], axes: Mapping[Edge, Axes], layers: Sequence[Attention]) -> TokenAttention:
    if not layers:
        raise NotApplicable("the network has no attention between positions")
    tokens = _one_grid([_tokens(layer, axes) for layer in layers])
    _check_chain(nodes, axes, layers)
    reads = tuple(dict.fromkeys(_reads(nodes, axes, main_path(nodes, axes), tokens)))
    if not reads or tokens.grid is None:
        raise NotApplicable("which tokens the scores are read from can't be told")
    return TokenAttention(Layout(0, 1, 2, 2, tokens.grid, tokens.before, tokens.after), reads)


def _tokens(layer: Attention, axes: Mapping[Edge, Axes]) -> Dim:
    """What queries and keys of an attention are."""
    if layer.is_fused:
        if None in inputs(layer.node)[:2]:
            raise NotApplicable("its attention has queries or keys of its own, which are no tokens of the picture")
        query, key = (axes.get(edge) if edge else None for edge in inputs(layer.node)[:2])
        dims = None if query is None or key is None else (*query[:-2], query[-2], key[-2])
    else:
        dims = axes.get((layer.node, 0))
    if dims is None or any(UNKNOWN in dim.axes for dim in dims[-2:]):
        raise NotApplicable("what queries and keys of its attention are can't be told")
    *others, queries, keys = dims
    if any(dim.has_places for dim in others):
        raise NotApplicable("its attention looks at parts of the picture, such as windows, and not at the whole")
    if queries != keys:
        raise NotApplicable(f"its attention has {_size(queries)} as queries and {_size(keys)} as keys")
    if queries.grid is None:
        raise NotApplicable("its attention isn't one between positions")
    return queries


def _size(dim: Dim) -> str:
    sides = dim.grid or tuple(factor.size for factor in dim.factors)
    extra = f" + {dim.extra}" if dim.extra else ""
    return ("×".join(map(str, sides)) or "1") + extra


def _one_grid(tokens: Sequence[Dim]) -> Dim:
    grids = dict.fromkeys(tokens)
    if len(grids) > 1:
        sizes = ", ".join(_size(dim) for dim in reversed(grids))
        raise NotApplicable(f"its attention looks at {len(grids)} grids of tokens ({sizes}), and not at one")
    return tokens[0]


def _check_chain(nodes: Sequence[Node], axes: Mapping[Edge, Axes], layers: Sequence[Attention]) -> None:
    """Refuse attention side by side, and positions that are mixed by something else in between."""
    for later, earlier in pairwise(layers):
        if later.node not in _dependents(nodes, earlier.node):
            raise NotApplicable("two layers of its attention stand side by side, and not one behind the other")
    behind = _dependents(nodes, layers[-1].node)
    others = {*other_products(nodes, layers), *(node for node in behind if _mixes(node, axes))}
    if others:
        names = ", ".join(sorted({operation(node) for node in others}))
        raise NotApplicable(f"not only attention mixes its positions ({names})")


def _dependents(nodes: Sequence[Node], start: Node) -> set[Node]:
    dependents = {start}
    for node in reversed(nodes):
        if any(edge is not None and edge[0] in dependents for edge in inputs(node)):
            dependents.add(node)
    return dependents


def _mixes(node: Node, axes: Mapping[Edge, Axes]) -> bool:
    """Whether the operation makes features at positions out of those at several."""
    if kind(node) is Kind.CONVOLUTION:
        return prod(saved(node, "weight").shape[2:]) > 1 and prod(result_shape(node, 0)[2:]) > 1
    if kind(node) is Kind.LINEAR:
        source = next((edge for edge in inputs(node) if edge is not None), None)
        before = axes.get(source) if source else None
        return before is not None and before[-1].has_places
    return kind(node) is Kind.POOLING


def _reads(nodes: Sequence[Node], axes: Mapping[Edge, Axes], path: MainPath, tokens: Dim) -> Iterator[Rows]:
    """The rows of all tokens that the scores are made of."""
    later = {nodes[0]}
    for node in nodes:
        for edge in path.values[node] if node in later else ():
            before = axes.get(edge)
            if before is None or tokens not in before:
                later.add(edge[0])
                continue
            yield _read(Step(node, 0, result_shape(*edge), result_shape(node, 0)), before.index(tokens), tokens)


def _read(step: Step, index: int, tokens: Dim) -> Rows:
    """The rows that an operation takes of all tokens, along the dimension of this index."""
    if kind(step.node) is Kind.PART and part(step)[0] == index:
        _, start, stop = part(step)
        whole = step.shape[index]
        first = start if start <= tokens.before else start - whole
        last = stop if stop <= tokens.before else stop - whole
        return first, last or None
    pooled = kind(step.node) in POOLS and index in saved_dims(step.node, "dim", len(step.shape))
    if not pooled:
        raise NotApplicable("which tokens the scores are read from can't be told")
    return 0, None
