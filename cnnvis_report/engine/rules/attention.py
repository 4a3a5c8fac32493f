"""What relevance does at attention: at products of two things that depend on the image, and at the softmax between.

With m = R / x, the rules of AttnLRP are the operations' own ways back with a share: a product of two things gives each
half, whoever they are, and a softmax, linear around its argument, has its gradient. What the softmax's constant part
takes is missing from the sum, as what a bias takes is. Source: Achtibat et al. 2024, arXiv:2402.05602, prop. 3.1-3.4.
"""

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.backward import Sent, Signals, inputs
from cnnvis_report.engine.graph.nodes import ordinary
from cnnvis_report.engine.graph.ops import Kind, Kinds, kind

# operations that have a rule here, beside those that every rule knows
ATTENTIVE: Kinds = frozenset({Kind.ATTENTION, Kind.MATRIX_PRODUCT, Kind.SOFTMAX})


def attended(node: Node, signals: Signals) -> Sent | None:
    """M behind an attention in one operation, a product of matrices, or a quotient; None for another operation."""
    if kind(node) is Kind.DIVIDE:
        shares: tuple[float, ...] = (1.0, 0.0)  # by a spread or a length, which is a constant
    elif kind(node) is Kind.ATTENTION:
        shares = _of_attention([edge is not None for edge in inputs(node)[:3]])
    elif kind(node) is Kind.MATRIX_PRODUCT:
        shares = _of_product([edge is not None for edge in inputs(node)])
    else:
        return None
    back = zip(inputs(node), ordinary(node, signals), shares, strict=False)
    return [(edge, share * m) for edge, m, share in back if edge is not None and m is not None and share]


def _of_product(depends: list[bool]) -> tuple[float, ...]:
    """Half for each factor, and what is added to their product as it is; by whether each depends on the image."""
    *added, first, second = depends
    return (*(1.0 for _ in added), *((0.5, 0.5) if first and second else (1.0, 1.0)))


def _of_attention(depends: list[bool]) -> tuple[float, ...]:
    """Of queries, keys and values: two products, one within the other."""
    queries, keys, values = depends
    within = 0.5 if queries and keys else 1.0
    weights = 0.5 if values else 1.0
    return weights * within, weights * within, 0.5 if queries or keys else 1.0
