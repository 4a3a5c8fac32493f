"""Follows rows, columns and channels of the image through the operations that ran."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import (
    CHANNELS,
    ONE,
    UNKNOWN,
    Axes,
    Dim,
    Shape,
    better,
    joined,
    pictures,
    plain,
    resized,
)
from cnnvis_report.engine.graph.axis_rules import AXIS_RULES
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.nodes import result_shape, results, saved_dims
from cnnvis_report.engine.graph.ops import Kind, Step, kind


@dataclass(frozen=True)
class Operand:
    """An input of an operation that depends on the image; axes is None where they aren't known."""

    axes: Axes | None
    shape: Shape


Operands = Sequence[Operand | None]


def followed(nodes: Sequence[Node], image: Shape) -> dict[Edge, Axes]:
    """What the dimensions of every result stand for, where that can be told.

    Args:
        nodes: as `recorded` gives them, the latest first.
        image: the shape of the images [1, C, H, W].
    """
    axes_of: dict[Edge, Axes] = {}
    for node in reversed(nodes):
        operands = [None if edge is None else Operand(axes_of.get(edge), result_shape(*edge)) for edge in inputs(node)]
        for number in range(results(node)):
            axes = _result(node, number, operands, image)
            if axes is not None and len(axes) == len(result_shape(node, number)):
                axes_of[node, number] = axes
    return axes_of


def _result(node: Node, number: int, operands: Operands, image: Shape) -> Axes | None:
    does, shape = kind(node), result_shape(node, number)
    known = [operand for operand in operands if operand is not None]
    if not known:
        return pictures(shape) if does is Kind.LEAF and shape == image else None
    if does is Kind.ATTENTION:
        return _attended(known, shape) if number == 0 else None
    first = known[0]
    if does is Kind.CONCATENATION:
        return _concatenated(node, operands, shape)
    if does is Kind.MATRIX_PRODUCT or (does is Kind.LINEAR and len(known) > 1):
        return _multiplied(known[-2:], shape)
    if first.axes is None and len(known) == 1:
        return None
    if does in AXIS_RULES and first.axes is not None:
        return AXIS_RULES[does](Step(node, number, first.shape, shape), first.axes)
    return _elementwise(known, shape)


def _elementwise(known: Sequence[Operand], shape: Shape) -> Axes | None:
    """Of operands that may be broadcast; of a single one also whatever changes sizes but not their order."""
    result: list[Dim | None] = [None] * len(shape)
    for operand in known:
        if operand.axes is None or len(operand.shape) > len(shape):
            continue
        offset = len(shape) - len(operand.shape)
        for index, (dim, size) in enumerate(zip(operand.axes, operand.shape, strict=True), start=offset):
            if size == shape[index]:
                last = result[index]
                result[index] = dim if last is None else better(last, dim)
            elif len(known) == 1 and size > 1:
                result[index] = resized(dim, shape[index])
    if all(dim is None for dim in result):
        return None
    return tuple(
        ONE if size == 1 else (plain(UNKNOWN, size) if dim is None else dim)
        for dim, size in zip(result, shape, strict=True)
    )


def _attended(known: Sequence[Operand], shape: Shape) -> Axes | None:
    queries = known[0].axes
    return None if queries is None else (*queries[:-1], plain(CHANNELS, shape[-1]))


def _multiplied(known: Sequence[Operand], shape: Shape) -> Axes | None:
    """Rows of the first by columns of the second."""
    first, second = known[0].axes, known[-1].axes
    if len(known) < 2 or first is None or second is None:
        axes = known[0].axes
        return None if axes is None else (*axes[:-1], plain(UNKNOWN, shape[-1]))
    return (*first[:-1], second[-1])


def _concatenated(node: Node, operands: Operands, shape: Shape) -> Axes | None:
    known = [operand for operand in operands if operand is not None and operand.axes is not None]
    whole = _elementwise(known, shape) if known else None
    if whole is None:
        return None
    at = saved_dims(node, "dim", len(shape))[0]
    sizes = [0 if operand is None else operand.shape[at] for operand in operands]
    along = [None if operand is None or operand.axes is None else operand.axes[at] for operand in operands]
    if any(operand is not None and operand.axes is None for operand in operands):
        return (*whole[:at], plain(UNKNOWN, shape[at]), *whole[at + 1 :])
    others = [
        next((dim for dim in (operand.axes[index] for operand in known if operand.axes) if dim.factors), ONE)
        for index in range(len(shape))
    ]
    return (*others[:at], joined(along, sizes, shape[at]), *others[at + 1 :])
