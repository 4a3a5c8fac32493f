"""The autograd graph that a forward pass leaves behind, read as a list of the operations that ran.

Every operation is there, functional, in place, reused or a module's, so nothing here depends on how a network
is written. PyTorch keeps the names of nodes and of what they saved to itself: this is the only file that uses
them, and it checks them once when it is imported.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node

RELUS = {"ReluBackward0", "ThresholdBackward0", "HardtanhBackward0", "ClampMinBackward0", "ClampBackward1"}

# Activations to which the ReLU rules have no answer. Sigmoids are left out: they are gates far more often.
OTHER_ACTIVATIONS = {
    "Silu": "SiLU",
    "Gelu": "GELU",
    "Hardswish": "Hardswish",
    "LeakyRelu": "LeakyReLU",
    "PreluKernel": "PReLU",
    "RreluWithNoise": "RReLU",
    "Elu": "ELU or SELU",
    "Celu": "CELU",
    "Mish": "Mish",
    "Softplus": "Softplus",
    "Tanh": "Tanh",
    "Glu": "GLU",
}

TAILS = {"SoftmaxBackward0": "softmax", "LogSoftmaxBackward0": "log-softmax", "SigmoidBackward0": "sigmoid"}


GEOMETRY = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")


def recorded(node: Node | None) -> list[Node]:
    """All nodes behind `node`, itself included, latest operation first."""
    seen: set[Node] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in seen:
            seen.add(current)
            waiting += [before for before, _ in current.next_functions]
    return sorted(seen, key=order, reverse=True)


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
    found = node(*signals)  # type: ignore[operator] # callable, though its stub doesn't say so
    return found if isinstance(found, tuple) else (found,)


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


def is_relu(node: Node) -> bool:
    """Whether the operation is a ReLU, or a ReLU with a ceiling such as ReLU6, however it was written."""
    match node.name():
        case "ReluBackward0":
            return True
        case "ThresholdBackward0":
            return bool(saved(node, "threshold") == 0)
        case "HardtanhBackward0":
            return bool(saved(node, "min_val") == 0)
        case "ClampMinBackward0" | "ClampBackward1":
            return bool(saved(node, "min") == 0)
    return False


def other_activation(node: Node) -> str | None:
    """The name of an activation that isn't a ReLU, or None."""
    if node.name() == "HardtanhBackward0" and not is_relu(node):
        return "Hardtanh"
    return OTHER_ACTIVATIONS.get(operation(node))


def _check() -> None:
    """Run a tiny network and look for every name that this file uses."""
    with torch.inference_mode(False), torch.enable_grad():
        image = torch.ones(1, 1, 2, 2, requires_grad=True)
        features = torch.nn.functional.conv2d(image, torch.ones(1, 1, 1, 1))
        kept = torch.nn.functional.relu6(features.clamp(min=0).relu())
        logits = torch.addmm(torch.ones(1), kept.mean((2, 3)), torch.ones(1, 1))
        nodes = recorded(logits.grad_fn)
        names = [node.name() for node in nodes]
        (signal,) = (each for each in ordinary(nodes[0], [torch.ones(1, 1)]) if each is not None)
        convolution = next((node for node in nodes if operation(node) == "Convolution"), None)
        sound = (
            sum(map(is_relu, nodes)) == 3
            and tuple(saved(nodes[0], "mat2").shape) == tuple(signal.shape) == (1, 1)
            and len(saved(nodes[1], "self_sym_sizes")) == 4
            and [operation(node) for node in nodes[:3]] == ["Addmm", "Mean", "Hardtanh"]
            and results(nodes[0]) == 1
            and convolution is not None
            and output_shape(convolution) == (1, 1, 2, 2)
            and all(saved(convolution, name) is not None for name in GEOMETRY)
            and tuple(saved(convolution, "input").shape) == (1, 1, 2, 2)
        )
    if not sound:
        raise ImportError(f"unexpected autograd graph {names}")


try:
    _check()
except Exception as error:
    raise ImportError(
        f"PyTorch {torch.__version__} records its operations in a way that this version of cnnvis-report doesn't "
        f"know ({error}). Install the versions of its constraints.txt, or a newer cnnvis-report."
    ) from error
