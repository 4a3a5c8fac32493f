"""The end of a network that averages its feature maps: what class activation maps are read from."""

from dataclasses import dataclass

from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import keeps, operation, output_shape, saved, saved_dims, skip_while
from cnnvis_report.engine.graph.ops import Kind, is_relu, kind
from cnnvis_report.errors import NotApplicable


@dataclass(frozen=True)
class ScoreLayer:
    """A place where a class weighs feature maps that are then averaged, as `cam` needs it.

    layer: the name of the layer that gives the maps; rectified: whether a functional ReLU follows it.
    linear: whether the scores are linear in the averages of the maps.
    """

    weight: Tensor
    layer: str
    rectified: bool
    linear: bool


@dataclass(frozen=True)
class Head:
    """The end of a network that averages its feature maps and weighs the averages, class by class.

    weight: [classes, K]. features: the node whose result is averaged, or weighed and then averaged. positions: the
    dimensions of that result over which the average goes; None where it isn't known but all of them.
    linear: whether no ReLU stands between the weights and the average.
    """

    weight: Tensor
    features: Node
    positions: frozenset[int] | None = None
    linear: bool = True


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
        return Head(weight, pooled, _positions(behind))
    pooled = _pooled(node)
    if pooled is None:
        raise NotApplicable(f"the scores come from {_named(node)}, not from pooling and one linear layer")
    convolution = pooled.next_functions[0][0] if is_relu(pooled) else pooled
    if convolution is None or kind(convolution) is not Kind.CONVOLUTION:
        raise NotApplicable(f"the pooled scores come from {_named(convolution)}, not from a 1×1 convolution")
    if not _is_pointwise(convolution):
        raise NotApplicable("the last convolution isn't 1×1")
    kernel = saved(convolution, "weight")
    features = convolution.next_functions[0][0]
    if features is None:
        raise NotApplicable("the last convolution reads the input itself")
    return Head(kernel[:, :, 0, 0], features, linear=not is_relu(pooled))


def _linear(node: Node) -> tuple[Tensor | None, Node | None]:
    """The weight [classes, K] and the input's node of a fully connected layer, or (None, None).

    A 1×1 convolution whose result has one position, as behind global pooling, is fully connected too.
    """
    if _is_pointwise(node) and tuple(saved(node, "input").shape[2:]) == (1, 1) and set(saved(node, "padding")) == {0}:
        return saved(node, "weight")[:, :, 0, 0], node.next_functions[0][0]
    match operation(node):
        case "Addmm":
            return saved(node, "mat2").t(), node.next_functions[1][0]
        case "Mm":
            return saved(node, "mat2").t(), node.next_functions[0][0]
        case "Linear":
            return saved(node, "weight"), node.next_functions[0][0]
    return None, None


def _is_pointwise(node: Node) -> bool:
    """Whether it is a convolution that weighs all channels of one position."""
    return (
        kind(node) is Kind.CONVOLUTION
        and tuple(saved(node, "weight").shape[2:]) == (1, 1)
        and saved(node, "groups") == 1
    )


def _pooled(node: Node | None) -> Node | None:
    """The node whose result a global average pooling reads, or None where `node` is no such pooling."""
    if node is None:
        return None
    before = node.next_functions[0][0] if node.next_functions else None
    count, dims = _averaged(node)
    if (count, sorted(dims)) in ((4, [2, 3]), (4, [1, 2]), (3, [1])):  # channels first, channels last, tokens
        return before
    if (count, sorted(dims)) == (3, [2]):  # flattened first: N×K×(h·w)
        return _skip_shapes(before)
    if operation(node) == "AvgPool2D":
        sides = tuple(saved(node, "self").shape[-2:])
        if tuple(saved(node, "kernel_size")) == sides and set(saved(node, "padding")) == {0}:
            return before
    return None


def _averaged(node: Node) -> tuple[int, frozenset[int]]:
    """How many dimensions an average reads, and over which it goes; none where the operation is no average."""
    if operation(node) != "Mean" or not keeps(node, "dim"):
        return 0, frozenset()
    count = len(saved(node, "self_sym_sizes"))
    return count, frozenset(saved_dims(node, "dim", count))


def _positions(node: Node) -> frozenset[int] | None:
    """The dimensions that an average goes over, where it is one of N×h×w×K or N×L×K."""
    _, dims = _averaged(node)
    return dims if 1 in dims else None


def _skip_shapes(node: Node | None) -> Node:
    behind = skip_while(node, lambda step: kind(step) in (Kind.VIEW, Kind.COPY) or _is_relayout(step))
    if behind is None:
        raise NotApplicable("the scores don't depend on the input")
    return behind


def _is_relayout(node: Node) -> bool:
    """Whether only the memory layout changes, as average pooling does to 1×1 results in channels-last order."""
    before = node.next_functions[0][0] if node.next_functions else None
    return kind(node) is Kind.STRIDED and before is not None and output_shape(before) == output_shape(node)


def _named(node: Node | None) -> str:
    return "the input" if node is None else operation(node)
