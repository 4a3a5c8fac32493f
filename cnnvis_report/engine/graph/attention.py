"""The attention that ran in a pass: a softmax between two products of matrices, in one operation or written out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.backward import inputs
from cnnvis_report.engine.graph.nodes import keeps, operation, result_shape, saved, saved_dims
from cnnvis_report.engine.graph.ops import ELEMENTWISE, REORDERS, Kind, Kinds, kind

# what stands between the softmax and the products: nothing that mixes keys or queries
AFTER: Kinds = REORDERS | {Kind.VIEW, Kind.EXPAND, Kind.DROPOUT}
BEFORE: Kinds = AFTER | ELEMENTWISE


@dataclass(frozen=True)
class Attention:
    """How much each query takes of each key's value.

    node: the operation; of one that is written out, its softmax.
    """

    node: Node

    @property
    def edge(self) -> GradientEdge:
        """Where the signal arrives that `gradient` takes."""
        return GradientEdge(self.node, 0)

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return result_shape(self.node, 0)[-2]

    @property
    def is_fused(self) -> bool:
        """Whether it is one operation, which keeps no weights."""
        return kind(self.node) is Kind.ATTENTION

    def weights(self, images: int) -> Tensor:
        """[N, heads, queries, keys] of so many images; each row sums to 1."""
        if not self.is_fused:
            result: Tensor = saved(self.node, "result").detach()
            return result.reshape(images, -1, *result.shape[-2:])
        query, key = (saved(self.node, name).detach() for name in ("query", "key"))
        scale = saved(self.node, "scale") if keeps(self.node, "scale") else None
        scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
        mask = next((saved(self.node, name) for name in ("attn_mask", "attn_bias") if keeps(self.node, name)), None)
        if mask is not None:
            scores = scores + mask.detach()[..., : scores.shape[-1]]
        if keeps(self.node, "is_causal") and saved(self.node, "is_causal"):
            scores = scores + torch.full_like(scores[0, 0], -torch.inf).triu(1)
        weights: Tensor = scores.softmax(-1)
        return weights

    def gradient(self, signal: Tensor, images: int) -> Tensor:
        """The gradient of the weights, shaped like them, from the signal at the operation's result."""
        if self.is_fused:
            value: Tensor = saved(self.node, "value").detach()
            return signal @ value.mT
        return signal.reshape(images, -1, *signal.shape[-2:])


def attentions(nodes: Sequence[Node]) -> list[Attention]:
    """The attention of a pass, the latest first.

    Args:
        nodes: as `recorded` gives them, the latest first.
    """
    users = _users(nodes)
    return [
        Attention(node)
        for node in nodes
        if kind(node) is Kind.ATTENTION or (_is_over_keys(node) and _has_products(node, users))
    ]


def is_attentive(node: Node) -> bool:
    """Whether the operation is an attention, or multiplies matrices that both depend on the image."""
    return kind(node) is Kind.ATTENTION or _is_product(node)


def operation_name(node: Node) -> str:
    """What a reader calls the operation: attention has one name, whichever kernel ran."""
    return "ScaledDotProductAttention" if kind(node) is Kind.ATTENTION else operation(node)


def other_products(nodes: Sequence[Node], known: Sequence[Attention]) -> list[Node]:
    """Products of matrices that both depend on the image and are no part of the attention that is known."""
    users = _users(nodes)
    parts: set[Node] = set()
    for attention in known:
        if not attention.is_fused:
            parts |= {*_products_before(attention.node), *(node for node in _after(attention.node, users) if node)}
    return [node for node in nodes if _is_product(node) and node not in parts]


def _users(nodes: Sequence[Node]) -> Mapping[Node, list[Node]]:
    users: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for edge in inputs(node):
            if edge is not None:
                users[edge[0]].append(node)
    return users


def _is_product(node: Node) -> bool:
    return kind(node) is Kind.MATRIX_PRODUCT and None not in inputs(node)[-2:]


def _is_over_keys(node: Node) -> bool:
    """Whether the operation is a softmax over the last dimension of several."""
    if kind(node) is not Kind.SOFTMAX:
        return False
    count = len(result_shape(node, 0))
    return count > 2 and saved_dims(node, "dim", count) == [count - 1]


def _has_products(node: Node, users: Mapping[Node, list[Node]]) -> bool:
    after = list(_after(node, users))
    return bool(after) and None not in after and any(True for _ in _products_before(node))


def _after(node: Node, users: Mapping[Node, list[Node]]) -> Iterator[Node | None]:
    """The products that take a result; None for something else that does."""
    for user in users[node]:
        if _is_product(user):
            yield user
        elif kind(user) in AFTER:
            yield from _after(user, users)
        else:
            yield None


def _products_before(node: Node) -> Iterator[Node]:
    """The products that a result comes from, element by element."""
    for edge in inputs(node):
        if edge is not None and _is_product(edge[0]):
            yield edge[0]
        elif edge is not None and kind(edge[0]) in BEFORE:
            yield from _products_before(edge[0])
