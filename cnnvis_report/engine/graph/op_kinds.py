"""Single operations of a recorded graph, and what they keep of the dimensions that they work on."""

from dataclasses import dataclass

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import Shape
from cnnvis_report.engine.graph.nodes import keeps, saved

RESHAPES = {"View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze"}
REDUCTIONS = {"Mean", "Sum", "Amax", "Amin", "Max", "Min", "Var", "Std", "Logsumexp", "LinalgVectorNorm", "Norm"}
LINEAR = {"Linear", "Addmm", "Mm"}


@dataclass(frozen=True)
class Step:
    """One result of an operation with one input: its shapes before and after."""

    node: Node
    number: int
    shape: Shape
    result: Shape


def signed(number: int) -> int:
    """PyTorch saves numbers that may be negative as unsigned ones."""
    return number - 2**64 if number >= 2**63 else number


def dims(node: Node, name: str, count: int) -> list[int]:
    """Dimensions that the operation kept, of `count`; all where it kept none."""
    kept = saved(node, name) if keeps(node, name) else None
    if kept is None or kept == ():
        return list(range(count))
    return [signed(dim) % count for dim in (kept if isinstance(kept, tuple) else (kept,))]
