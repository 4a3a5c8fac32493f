"""The autograd graph that a forward pass leaves behind, read as a list of the operations that ran.

Every operation is there, functional, in place, reused or a module's, so nothing here depends on how a network
is written. PyTorch keeps the names of nodes and of what they saved to itself: this is the only file that uses
them, and it checks them once when it is imported.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.errors import NotApplicable

RELUS = {"ReluBackward0", "ThresholdBackward0", "HardtanhBackward0", "ClampMinBackward0", "ClampBackward1"}

# Activations to which the ReLU rules have no answer. Sigmoids are left out: they are gates far more often.
OTHER_ACTIVATIONS = {
    "SiluBackward0": "SiLU",
    "GeluBackward0": "GELU",
    "HardswishBackward0": "Hardswish",
    "LeakyReluBackward0": "LeakyReLU",
    "PreluKernelBackward0": "PReLU",
    "RreluWithNoiseBackward0": "RReLU",
    "EluBackward0": "ELU or SELU",
    "CeluBackward0": "CELU",
    "MishBackward0": "Mish",
    "SoftplusBackward0": "Softplus",
    "TanhBackward0": "Tanh",
    "GluBackward0": "GLU",
}

TAILS = {"SoftmaxBackward0": "softmax", "LogSoftmaxBackward0": "log-softmax", "SigmoidBackward0": "sigmoid"}

SHAPE_ONLY = {
    "ViewBackward0",
    "UnsafeViewBackward0",
    "ReshapeAliasBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
    "SqueezeBackward2",
    "AliasBackward0",
    "CloneBackward0",
}


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


def saved(node: Node, name: str) -> Any:
    """What the operation kept for its way back, under PyTorch's name for it."""
    return getattr(node, f"_saved_{name}")


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
    return OTHER_ACTIVATIONS.get(node.name())


def last_convolution(nodes: list[Node], before: Node | None) -> Node | None:
    """The latest convolution whose result has more than one position, or None.

    Args:
        nodes: as `recorded` gives them.
        before: a convolution that gives the class scores and so doesn't count, or None.
    """
    for node in nodes:
        if node.name().startswith("ConvolutionBackward") and node is not before:
            shape = output_shape(node)
            if len(shape) == 4 and shape[2] * shape[3] > 1:
                return node
    return None


@dataclass(frozen=True)
class Head:
    """The end of a network that averages its feature maps and weighs the averages, class by class.

    weight: [classes, K]. features: the node whose result is averaged, K×h×w, or weighed and then averaged.
    convolution: the node of the 1×1 convolution that weighs them, or None where a linear layer does.
    """

    weight: Tensor
    features: Node
    convolution: Node | None


def find_head(logits: Node) -> Head:
    """The head behind the class scores.

    Raises:
        NotApplicable: the network doesn't end in global average pooling with one linear layer or 1×1
            convolution; the message says what stands there instead.
    """
    node = _skip_shapes(logits)
    weight, before = _linear(node)
    if weight is not None:
        behind = _skip_shapes(before)
        pooled = _pooled(behind)
        if pooled is None:
            raise NotApplicable(f"the last linear layer doesn't follow global average pooling but {_named(behind)}")
        return Head(weight, pooled, None)
    pooled = _pooled(node)
    if pooled is None:
        raise NotApplicable(f"the scores come from {_named(node)}, not from pooling and one linear layer")
    convolution = pooled.next_functions[0][0] if is_relu(pooled) else pooled
    if convolution is None or not convolution.name().startswith("ConvolutionBackward"):
        raise NotApplicable(f"the pooled scores come from {_named(convolution)}, not from a 1×1 convolution")
    kernel = saved(convolution, "weight")
    if tuple(kernel.shape[2:]) != (1, 1) or saved(convolution, "groups") != 1:
        raise NotApplicable("the last convolution isn't 1×1")
    features = convolution.next_functions[0][0]
    if features is None:
        raise NotApplicable("the last convolution reads the input itself")
    return Head(kernel[:, :, 0, 0], features, convolution)


def _linear(node: Node) -> tuple[Tensor | None, Node | None]:
    """The weight [classes, K] and the input's node of a fully connected layer, or (None, None)."""
    match node.name():
        case "AddmmBackward0":
            return saved(node, "mat2").t(), node.next_functions[1][0]
        case "MmBackward0":
            return saved(node, "mat2").t(), node.next_functions[0][0]
        case "LinearBackward0":
            return saved(node, "weight"), node.next_functions[0][0]
    return None, None


def _pooled(node: Node | None) -> Node | None:
    """The node whose result a global average pooling reads, or None where `node` is no such pooling."""
    if node is None:
        return None
    if node.name() == "MeanBackward1":
        sizes = tuple(saved(node, "self_sym_sizes"))
        # the dimensions are saved as unsigned numbers: -1 comes back as 2**64 - 1
        dims = {(d - 2**64 if d >= 2**63 else d) % len(sizes) for d in saved(node, "dim")}
        if len(sizes) == 4 and dims == {2, 3}:
            return node.next_functions[0][0]
        if len(sizes) == 3 and dims == {2}:  # flattened first: N×K×(h·w)
            return _skip_shapes(node.next_functions[0][0])
    if node.name() == "AvgPool2DBackward0":
        sides = tuple(saved(node, "self").shape[-2:])
        if tuple(saved(node, "kernel_size")) == sides and set(saved(node, "padding")) == {0}:
            return node.next_functions[0][0]
    return None


def _skip_shapes(node: Node | None) -> Node:
    while node is not None and (node.name() in SHAPE_ONLY or _relaid(node)):
        node = node.next_functions[0][0]
    if node is None:
        raise NotApplicable("the scores don't depend on the input")
    return node


def _relaid(node: Node) -> bool:
    """Whether only the memory layout changes, as average pooling does to 1×1 results in channels-last order."""
    before = node.next_functions[0][0] if node.next_functions else None
    return node.name().startswith("AsStrided") and before is not None and output_shape(before) == output_shape(node)


def _named(node: Node | None) -> str:
    return "the input" if node is None else node.name().rstrip("0123456789").removesuffix("Backward")


def _check() -> None:
    """Run a tiny network and look for every name that this file uses."""
    with torch.inference_mode(False), torch.enable_grad():
        image = torch.ones(1, 1, 2, 2, requires_grad=True)
        features = torch.nn.functional.conv2d(image, torch.ones(1, 1, 1, 1))
        kept = torch.nn.functional.relu6(features.clamp(min=0).relu())
        logits = torch.addmm(torch.ones(1), kept.mean((2, 3)), torch.ones(1, 1))
        nodes = recorded(logits.grad_fn)
        names = [node.name() for node in nodes]
        found = find_head(nodes[0])
        convolution = last_convolution(nodes, None)
        sound = (
            sum(map(is_relu, nodes)) == 3
            and found.features.name() == "HardtanhBackward0"
            and tuple(found.weight.shape) == (1, 1)
            and convolution is not None
            and output_shape(convolution) == (1, 1, 2, 2)
            and saved(convolution, "groups") == 1
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
