"""The end of a network that averages its feature maps: what class activation maps are read from."""

from dataclasses import dataclass

from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import is_relu, output_shape, saved
from cnnvis_report.errors import NotApplicable

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


@dataclass(frozen=True)
class ScoreLayer:
    """A place where a class weighs feature maps that are then averaged, as `cam` needs it.

    layer: the name of the layer that gives the maps; rectified: whether a functional ReLU follows it.
    """

    weight: Tensor
    layer: str
    rectified: bool


@dataclass(frozen=True)
class Head:
    """The end of a network that averages its feature maps and weighs the averages, class by class.

    weight: [classes, K]. features: the node whose result is averaged, or weighed and then averaged. positions: the
    dimensions of that result over which the average goes; None where it isn't known but all of them.
    """

    weight: Tensor
    features: Node
    positions: frozenset[int] | None = None


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
        return Head(weight, pooled, _averaged(behind))
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
    return Head(kernel[:, :, 0, 0], features)


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
        if (len(sizes), dims) in ((4, {2, 3}), (4, {1, 2}), (3, {1})):  # channels first, channels last, tokens
            return node.next_functions[0][0]
        if len(sizes) == 3 and dims == {2}:  # flattened first: N×K×(h·w)
            return _skip_shapes(node.next_functions[0][0])
    if node.name() == "AvgPool2DBackward0":
        sides = tuple(saved(node, "self").shape[-2:])
        if tuple(saved(node, "kernel_size")) == sides and set(saved(node, "padding")) == {0}:
            return node.next_functions[0][0]
    return None


def _averaged(node: Node) -> frozenset[int] | None:
    """The dimensions that a mean goes over, where it is one of N×h×w×K or N×L×K."""
    sizes = tuple(saved(node, "self_sym_sizes")) if node.name() == "MeanBackward1" else ()
    dims = (
        frozenset((d - 2**64 if d >= 2**63 else d) % len(sizes) for d in saved(node, "dim")) if sizes else frozenset()
    )
    return dims if 1 in dims else None


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
