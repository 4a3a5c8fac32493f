"""Which numbers an output can hold, as its last operation says: some of them are no logits, whatever they are."""

from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.graph import keeps, operation, saved
from cnnvis_report.tails import EXACT, LOGARITHMS, SHAPES, behind_shapes, mixed_ending

POSITIVE = {
    "Relu": "a ReLU",
    "Softplus": "a softplus",
    "Exp": "an exponential",
    "Abs": "an absolute value",
    "Sqrt": "a square root",
    "LinalgVectorNorm": "a norm",
    "Norm": "a norm",
}
LEAST = ("min", "min_val")  # saved by a clamp, and by a hard tanh such as ReLU6


def never_negative(node: Node | None) -> str:
    """The last operation, in words, where its results can't be below 0."""
    while node is not None:
        kind = operation(node)
        least = next((saved(node, name) for name in LEAST if keeps(node, name)), None)
        if isinstance(least, int | float) and least >= 0:
            return "a clamp at 0" if least == 0 else f"a clamp at {least:g}"
        if kind == "Pow" and saved(node, "exponent") % 2 == 0:
            return "an even power"
        if kind not in SHAPES:
            return POSITIVE.get(kind, "")
        node = node.next_functions[0][0]
    return ""


def scaled_ending(node: Node | None, output: Tensor) -> str:
    """That an output which leaves 0…1 is a multiple of a softmax or a sigmoid, in words; "" elsewhere."""
    name = mixed_ending(node)
    return f"a scaled {name}" if name in LOGARITHMS and bool((output > 1 + EXACT).any()) else ""


def is_hard_sigmoid(node: Node | None) -> bool:
    """Whether the last operation is a hard sigmoid, before which are no logits of the same probabilities."""
    node = behind_shapes(node)
    return node is not None and operation(node) == "Hardsigmoid"
