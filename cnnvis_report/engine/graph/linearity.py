"""Whether a network is linear wherever its ReLUs and its maximum pooling don't change sides."""

from collections.abc import Iterable

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.ops import Kind, is_relu, kind

LINEAR = {
    *(Kind.LEAF, Kind.VIEW, Kind.PERMUTATION, Kind.COPY, Kind.STRIDED, Kind.PART, Kind.CONCATENATION, Kind.STACK),
    *(Kind.CONVOLUTION, Kind.LINEAR, Kind.BATCH_NORM, Kind.POOLING, Kind.ADAPTIVE_POOLING, Kind.MEAN, Kind.ADD),
    Kind.CONSTANT_PADDING,
}


def is_piecewise_linear(nodes: Iterable[Node]) -> bool:
    """Whether all operations are ReLU, pooling, or linear up to a constant."""
    return all(kind(node) in LINEAR or is_relu(node) for node in nodes)
