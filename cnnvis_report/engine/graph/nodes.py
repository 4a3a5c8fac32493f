"""The autograd graph that a forward pass leaves behind, read as a list of the operations that ran.

Every operation is there, functional, in place, reused or a module's, so nothing here depends on how a network
is written. PyTorch keeps the names of nodes and of what they saved to itself: this is the only file that uses
them, and it checks them when the first network is examined.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional

from cnnvis_report.errors import RunFailed, brief

# the operations of the tiny network that PyTorch's private names are tried on, the latest first
TINY = ["Addmm", "Mean", "Hardtanh", "Relu", "Clamp", "Convolution", "AccumulateGrad"]
GEOMETRY = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")


def recorded(node: Node | None) -> list[Node]:
    """All nodes behind `node`, itself included, latest operation first.

    Raises:
        RunFailed: this version of PyTorch records operations in another way than the code here knows.
    """
    check_pytorch()
    return _recorded(node)


def _recorded(node: Node | None) -> list[Node]:
    behind = [] if node is None else reached([node], next_nodes)
    return sorted(behind, key=order, reverse=True)


def reached(starts: Iterable[Node], onward: Callable[[Node], Iterable[Node]]) -> list[Node]:
    """The starts and every node that `onward` leads to from one of them, each once."""
    nodes = dict.fromkeys(starts)
    waiting = list(nodes)
    while waiting:
        for node in onward(waiting.pop()):
            if node not in nodes:
                nodes[node] = None
                waiting.append(node)
    return list(nodes)


def skip_while(node: Node | None, passes: Callable[[Node], bool]) -> Node | None:
    """The first operation that doesn't pass, from `node` back along first inputs; None where that is the image."""
    while node is not None and passes(node):
        node = node.next_functions[0][0]
    return node


def next_nodes(node: Node) -> list[Node]:
    """The operations that gave the node its inputs, of those that depend on the image."""
    return [before for before, _ in node.next_functions if before is not None]


def order(node: Node) -> int:
    """When the operation ran, as a number that grows; leaves come before all."""
    number = int(node._sequence_nr())
    return number if number < 2**63 else -1  # a leaf has the largest unsigned number


def output_shape(node: Node) -> tuple[int, ...]:
    """The shape of the operation's first result."""
    return tuple(int(side) for side in node._input_metadata[0].shape)


def operation(node: Node) -> str:
    """What ran, without PyTorch's ending: "Convolution", "Relu", "MaxPool2DWithIndices"; a leaf is "AccumulateGrad"."""
    return _operation(node.name())


@cache
def _operation(name: str) -> str:
    return name.rpartition("::")[2].rstrip("0123456789").removesuffix("Backward")


def ordinary(node: Node, signals: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """The operation's own way back: signals at its results to signals at its inputs, which may still be broadcast.

    Args:
        signals: one for each result, as many as `results` says.
    """
    gradients = node(*signals)  # type: ignore[operator] # callable, though its stub doesn't say so
    return gradients if isinstance(gradients, tuple) else (gradients,)


def results(node: Node) -> int:
    """How many results the operation has."""
    return len(node._input_metadata)


def result_shape(node: Node, number: int) -> tuple[int, ...]:
    """The shape of one of its results."""
    return tuple(int(side) for side in node._input_metadata[number].shape)


def saved(node: Node, name: str) -> Any:
    """What the operation kept for its way back, under PyTorch's name for it."""
    return getattr(node, f"_saved_{name}")


def keeps(node: Node, name: str) -> bool:
    """Whether the operation kept something called so."""
    return hasattr(node, f"_saved_{name}")


def signed(number: int) -> int:
    """The number that was saved: PyTorch keeps those that may be negative as unsigned ones."""
    return number - 2**64 if number >= 2**63 else number


def saved_dims(node: Node, name: str, count: int) -> list[int]:
    """Dimensions that the operation kept, of `count`; all where it kept none."""
    dims = saved(node, name) if keeps(node, name) else None
    if dims is None or dims == ():
        return list(range(count))
    return [signed(dim) % count for dim in (dims if isinstance(dims, tuple) else (dims,))]


@cache
def check_pytorch() -> None:
    """Look for every private name that this file uses, in the graph of a tiny network; once a process.

    Raises:
        RunFailed: one of them is missing.
    """
    try:
        names = _unknown_graph()
    except Exception as error:
        names = [brief(error)]
    if names:
        raise RunFailed(
            f"PyTorch {torch.__version__} records its operations in a way that this version of cnnvis-report doesn't "
            f"know ({', '.join(names)}). Install the versions of its constraints.txt, or a newer cnnvis-report."
        )


def _unknown_graph() -> list[str]:
    """What a tiny network's operations are called, where they aren't recorded as expected; none where they are."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        image, kernel = (torch.ones(1, 1, 1, 1, device="cpu", dtype=torch.float32) for _ in range(2))
        weight = torch.ones(1, 1, device="cpu", dtype=torch.float32)
        features = functional.conv2d(image.requires_grad_(), kernel)
        clipped = functional.relu6(features.clamp(min=0).relu())
        logits = torch.addmm(weight[0], clipped.mean((2, 3)), weight)
    nodes = _recorded(logits.grad_fn)
    addmm, mean, hardtanh, _relu, clamp, convolution, *_ = nodes
    (signal,) = (gradient for gradient in ordinary(addmm, [weight]) if gradient is not None)
    sound = (
        [operation(node) for node in nodes] == TINY
        and tuple(saved(addmm, "mat2").shape) == tuple(signal.shape) == (1, 1)
        and len(saved(mean, "self_sym_sizes")) == 4
        and saved_dims(mean, "dim", 4) == [2, 3]
        and saved(hardtanh, "min_val") == saved(clamp, "min") == 0
        and results(addmm) == 1
        and output_shape(convolution) == (1, 1, 1, 1)
        and all(saved(convolution, name) is not None for name in GEOMETRY)
        and tuple(saved(convolution, "input").shape) == (1, 1, 1, 1)
    )
    return [] if sound else [node.name() for node in nodes]
