"""Which pixels a layer's positions see, read from the operations that ran.

Araujo et al. 2019, doi:10.23915/distill.00021, derive closed forms of size and stride; here every position is
followed by itself, so that borders, unlike branches and odd sizes come out right.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.autograd.graph import Node

from cnnvis_report.engine.gradients import PIXELS
from cnnvis_report.engine.graph.axis_rules import swapped_dims
from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.nodes import (
    GEOMETRY,
    keeps,
    operation,
    order,
    recorded,
    result_shape,
    saved,
    saved_dims,
    signed,
)
from cnnvis_report.engine.graph.ops import ELEMENTWISE, REDUCTIONS, Kind, Step, kind
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.spans import NOTHING, Axis, IntArray, Shape, binned, padded, sliding, transposed, united

Operand = tuple[Axis, Shape]

PADDING_MODES = {Kind.CONSTANT_PADDING: "constant", Kind.REFLECTION_PADDING: "reflect", Kind.EDGE_PADDING: "edge"}

BLIND = Axis(np.array([[NOTHING, 0]]))  # of a layer that doesn't depend on the image


@dataclass(frozen=True)
class Field:
    """What the positions of a layer see of the image, clipped to it.

    rows: [h, 2], the rows of pixels from start to before stop that each row of the layer sees.
    columns: [w, 2], the same across. A position that sees nothing, such as one in padding, has 0 to 0.
    """

    rows: IntArray
    columns: IntArray

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of what one position sees, in pixels; bottom and right are the first outside."""
        (top, bottom), (left, right) = self.rows[row].tolist(), self.columns[column].tolist()
        return (top, left, bottom, right) if top < bottom and left < right else (0, 0, 0, 0)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels, of the largest field."""
        return int(np.ptp(self.rows, axis=1).max()), int(np.ptp(self.columns, axis=1).max())

    @property
    def stride(self) -> tuple[int | None, int | None]:
        """How many pixels down and across neighbors' fields lie apart; None where no two lie inside, or most vary."""
        return _step(self.rows), _step(self.columns)


def receptive_fields(tape: Tape, names: Sequence[str]) -> dict[str, Field]:
    """The pixels that can change the value of a layer at each of its positions, whatever the weights are.

    Exact for convolutions of every kind, pooling, padding, sums, products, concatenation, means, linear layers,
    normalization and changes of shape. Any other operation is taken to see all that any of its inputs sees.

    Args:
        tape: a recorded pass; it runs once more where the layers weren't announced to it.
        names: of layers; the last features that reach the scores where a name is empty.

    Raises:
        UnknownName, NotApplicable: as `Subject.layer`.
    """
    layers = {name: tape.layer_name(name) for name in names}
    gradient_edges = tape.edges([*layers.values(), PIXELS])
    edges = {name: (edge.node, edge.output_nr) for name, edge in gradient_edges.items()}
    nodes = sorted({node for edge in gradient_edges.values() for node in recorded(edge.node)}, key=order)
    height, width = result_shape(*edges[PIXELS])[2:]
    rows = _followed(nodes, edges, Axis(_pixels(height), width))
    columns = _followed(nodes, edges, Axis(_pixels(width)))
    fields = {}
    for name, layer in layers.items():
        height, width = tape.layer(layer).shape[2:]
        if layer not in edges:
            fields[name] = Field(BLIND.spread((height,), 0), BLIND.spread((width,), 0))
            continue
        shape, layout = result_shape(*edges[layer]), tape.subject.layout(layer)
        down, across = rows.get(layer, BLIND), columns.get(layer, BLIND)
        if layout.has_tokens:
            fields[name] = Field(
                down.along(shape, layout.rows, height, width), across.along(shape, layout.columns, width)
            )
        else:
            fields[name] = Field(down.spread(shape, layout.rows), across.spread(shape, layout.columns))
    return fields


def _pixels(length: int) -> IntArray:
    return np.stack([np.arange(length), np.arange(1, length + 1)], axis=1)


def _step(spans: IntArray) -> int | None:
    """What most neighbors lie apart, of those that neither start nor stop where the image's border may have cut."""
    (starts, stops), (start_steps, stop_steps) = spans.T, np.diff(spans, axis=0).T
    steps = Counter([*start_steps[starts[:-1] > 0].tolist(), *stop_steps[stops[1:] < stops.max()].tolist()])
    step, count = steps.most_common(1)[0] if steps else (0, 0)
    return step if 2 * count > steps.total() else None


def _followed(nodes: Sequence[Node], ends: Mapping[str, Edge], pixels: Axis) -> dict[str, Axis]:
    """What the ends see along one axis of the image, which is the end called `PIXELS`.

    Args:
        nodes: all operations, in order of running.
    """
    wanted: dict[Node, set[int]] = {}
    for edge in [*ends.values(), *(edge for node in nodes for edge in inputs(node))]:
        if edge is not None:
            wanted.setdefault(edge[0], set()).add(edge[1])
    axes: dict[Edge, Axis] = {ends[PIXELS]: pixels}
    for node in nodes:
        operands = [(axes[edge], result_shape(*edge)) if edge in axes else None for edge in inputs(node)]
        if any(operands):
            axes |= {(node, number): _result(node, number, operands) for number in wanted[node]}
    return {name: axes[edge] for name, edge in ends.items() if edge in axes}


def _result(node: Node, number: int, operands: Sequence[Operand | None]) -> Axis:
    """What one result of an operation sees; an input is None where it doesn't depend on the image."""
    known = [operand for operand in operands if operand is not None]
    axes, result = [axis for axis, _ in known], result_shape(node, number)
    does = kind(node)
    if does in ELEMENTWISE and not (keeps(node, "training") and saved(node, "training")):
        return united([axis.carried(shape, result, _aligned(shape, result)) for axis, shape in known])
    if does is Kind.CONCATENATION:
        return _concatenated(saved_dims(node, "dim", len(result))[0], operands, result)
    if len(known) > 1 or does not in SPAN_RULES:
        return united([axis.whole() for axis in axes])
    if operation(node) in ("Addmm", "Mm") and operands[-2] is None:  # the features, on the right, keep their columns
        return axes[0].whole()
    return SPAN_RULES[does](Step(node, number, known[0][1], result), axes[0])


def _aligned(shape: Shape, result: Shape) -> Callable[[int], int | None]:
    return lambda dim: dim + len(result) - len(shape)


def _concatenated(dim: int, operands: Sequence[Operand | None], result: Shape) -> Axis:
    known = [operand for operand in operands if operand is not None]
    dimensions = [axis.dimension(shape) for axis, shape in known]
    if any(dimension is not None and dimension[0] == dim for dimension in dimensions):
        lengths = [len(axis.spans) for axis, _ in known]
        if all(dimension == (dim, 1) for dimension in dimensions) and sum(lengths) == result[dim]:
            spans = np.concatenate([axis.spans for axis, _ in known])
            return Axis(spans).carried((len(spans),), result, lambda _: dim)
        return united([axis.whole() for axis, _ in known])
    return united([axis.carried(shape, result, lambda index: index) for axis, shape in known])


def _mixed(step: Step, axis: Axis) -> Axis:
    """Reductions, which drop the dimensions or keep them as 1, and what normalizes along dimensions."""
    does = kind(step.node)
    mixed = [len(step.shape) - 1] if does is Kind.LINEAR else saved_dims(step.node, "dim", len(step.shape))
    if does is Kind.LAYER_NORM:
        mixed = list(range(len(step.shape) - len(saved(step.node, "normalized_shape")), len(step.shape)))
    dropped = mixed if len(step.result) < len(step.shape) else []
    return axis.carried(
        step.shape, step.result, lambda dim: None if dim in mixed else dim - sum(other < dim for other in dropped)
    )


def _permuted(step: Step, axis: Axis) -> Axis:
    order_of = list(range(len(step.shape)))
    if operation(step.node) == "Permute":
        order_of = saved_dims(step.node, "dims", len(step.shape))
    else:
        first, second = swapped_dims(step.node, len(step.shape))
        order_of[first], order_of[second] = second, first
    return axis.carried(step.shape, step.result, order_of.index)


def _parted(step: Step, axis: Axis) -> Axis:
    """One part of a value along a dimension: what is taken out of it, or one of the pieces into which it is split."""
    name, dim = operation(step.node), saved_dims(step.node, "dim", len(step.shape))[0]
    if len(step.result) < len(step.shape):  # a single position, whose dimension is dropped
        start = step.number if name == "Unbind" else signed(saved(step.node, "index")) % step.shape[dim]
        single = (*step.result[:dim], 1, *step.result[dim:])
        return axis.windowed(step.shape, single, {dim: np.array([[start]])}, ())
    start, every = 0, 1
    if name == "Slice":
        start, every = min(signed(saved(step.node, "start")), step.shape[dim]), saved(step.node, "step")
        start += step.shape[dim] if start < 0 else 0
    elif name == "Split":
        start = step.number * saved(step.node, "split_size")
    else:
        start = sum(saved(step.node, "split_sizes")[: step.number])
    index = start + every * np.arange(step.result[dim])[:, None]
    return axis.windowed(step.shape, step.result, {dim: index}, ())


def _convolved(step: Step, axis: Axis) -> Axis:
    stride, padding, dilation, is_transposed, *_ = (saved(step.node, name) for name in GEOMETRY)
    slide = transposed if is_transposed else sliding
    sides = zip(step.result[2:], saved(step.node, "weight").shape[2:], stride, padding, dilation, strict=True)
    return axis.windowed(step.shape, step.result, {2 + index: slide(*side) for index, side in enumerate(sides)}, (1,))


def _pooled(step: Step, axis: Axis) -> Axis:
    kernel, padding = saved(step.node, "kernel_size"), saved(step.node, "padding")
    first = len(step.shape) - len(kernel)
    dilation: Any = saved(step.node, "dilation") if keeps(step.node, "dilation") else (1,) * len(kernel)
    sides = zip(step.result[first:], kernel, saved(step.node, "stride") or kernel, padding, dilation, strict=True)
    return axis.windowed(
        step.shape, step.result, {first + index: sliding(*side) for index, side in enumerate(sides)}, ()
    )


def _binned(step: Step, axis: Axis) -> Axis:
    windows = {dim: binned(step.result[dim], step.shape[dim]) for dim in range(len(step.shape) - 2, len(step.shape))}
    return axis.windowed(step.shape, step.result, windows, ())


def _padded(step: Step, axis: Axis) -> Axis:
    padding = [signed(side) for side in saved(step.node, "pad" if keeps(step.node, "pad") else "padding")]
    sides = list(zip(padding[::2], padding[1::2], strict=True))  # of the last dimension first
    mode, last = PADDING_MODES[kind(step.node)], len(step.shape) - 1
    windows = {last - index: padded(step.shape[last - index], side, mode) for index, side in enumerate(sides)}
    return axis.windowed(step.shape, step.result, windows, ())


SPAN_RULES: dict[Kind, Callable[[Step, Axis], Axis]] = {
    **dict.fromkeys((*REDUCTIONS, Kind.LINEAR, Kind.SOFTMAX, Kind.LOG_SOFTMAX, Kind.LAYER_NORM), _mixed),
    **dict.fromkeys(PADDING_MODES, _padded),
    Kind.VIEW: lambda _, axis: axis,
    Kind.PERMUTATION: _permuted,
    Kind.PART: _parted,
    Kind.POOLING: _pooled,
    Kind.ADAPTIVE_POOLING: _binned,
    Kind.CONVOLUTION: _convolved,
}
