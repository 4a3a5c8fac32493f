"""Puts nodes of an ONNX graph into the forms that converters read: linear layers, padding, axes, and a free batch."""

import math
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.models.onnx_graphs.sizes.moves import simplify_moves
from cnnvis_report.models.onnx_graphs.values import Sides, attributes, prune, set_attributes, shapes
from cnnvis_report.models.onnx_graphs.weights import Array, Weights, constants

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

SAME = (b"SAME_UPPER", b"SAME_LOWER")
WINDOWS = {"Conv", "MaxPool", "AveragePool"}


def rewrite(graph: "GraphProto", weights: Weights) -> None:
    """Put what has several forms into one; values stay the same."""
    _leave_out_identities(graph)
    simplify_moves(graph, weights)
    _make_linear(graph, weights)
    _make_padding_explicit(graph)
    _make_padding_symmetric(graph)
    _make_axes_attributes(graph, weights)
    _leave_out_zero_rule(graph, weights)
    prune(graph)


def _leave_out_identities(graph: "GraphProto") -> None:
    """Let what reads an Identity read what that reads."""
    outputs = {value.name for value in graph.output}
    same: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _make_linear(graph: "GraphProto", weights: Weights) -> None:
    """MatMul with a constant matrix, and an Add of one number an output, as one Gemm."""
    from onnx import helper

    known = constants(graph, weights)
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {value.name for value in graph.output}
    nodes: list[NodeProto] = []
    merged: set[str] = set()
    for node in graph.node:
        if node.op_type == "Add" and node.output[0] in merged:
            continue
        weight = known.get(node.input[1]) if node.op_type == "MatMul" and len(node.input) == 2 else None
        if weight is None or weight.ndim != 2 or node.input[0] in known:
            nodes.append(node)
            continue
        later = readers.get(node.output[0], [])
        bias = None if node.output[0] in outputs or len(later) != 1 else _bias(later[0], node.output[0], known, weight)
        inputs, result = [node.input[0], node.input[1]], node.output[0]
        if bias is not None:
            inputs, result = [*inputs, _flat(graph, bias, known)], later[0].output[0]
            merged.add(result)
        nodes.append(helper.make_node("Gemm", inputs, [result], name=node.name or "linear"))
    del graph.node[:]
    graph.node.extend(nodes)


def _bias(node: "NodeProto", product: str, known: dict[str, Array], weight: Array) -> str | None:
    """The constant that an Add gives to a product, where it is one number for each of its columns."""
    if node.op_type != "Add" or len(node.input) != 2:
        return None
    name: str = node.input[1] if node.input[0] == product else node.input[0]
    value = known.get(name)
    if value is None or value.size != weight.shape[1] or value.shape[-1:] != (weight.shape[1],):
        return None
    return name


def _flat(graph: "GraphProto", name: str, known: dict[str, Array]) -> str:
    """The name of the constant with one dimension."""
    from onnx import numpy_helper

    if known[name].ndim == 1:
        return name
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(known[name].reshape(-1)), f"{name}_flat"))
    return f"{name}_flat"


def _make_padding_explicit(graph: "GraphProto") -> None:
    """Padding to "the same size" as the numbers that it comes to, where the size of the image is fixed."""
    known = shapes(graph)
    for node in graph.node:
        options = attributes(node)
        if node.op_type not in WINDOWS or options.get("auto_pad") not in SAME:
            continue
        pads = _pads(node, options, known)
        if pads is None:
            continue
        set_attributes(node, auto_pad=None, pads=pads)


def _pads(node: "NodeProto", options: dict[str, object], known: dict[str, Sides]) -> list[int] | None:
    sides = known.get(node.input[0], ())[2:]
    kernel = options.get("kernel_shape") or (known.get(node.input[1], ())[2:] if node.op_type == "Conv" else ())
    if not sides or None in sides or len(kernel) != len(sides):  # type: ignore[arg-type]
        return None
    ones = [1] * len(sides)
    strides, dilations = options.get("strides", ones), options.get("dilations", ones)
    begins, ends = [], []
    for side, width, stride, dilation in zip(sides, kernel, strides, dilations, strict=True):  # type: ignore[call-overload]
        total = max((math.ceil(side / stride) - 1) * stride + (width - 1) * dilation + 1 - side, 0)
        small, large = total // 2, total - total // 2
        upper = options["auto_pad"] == b"SAME_UPPER"
        begins.append(small if upper else large)
        ends.append(large if upper else small)
    return begins + ends


def _make_padding_symmetric(graph: "GraphProto") -> None:
    """Maximum pooling with more padding at the end as one whose last windows may reach beyond the image.

    The windows and the numbers in them are the same; converters would put a layer of minus infinities before it.
    """
    known = shapes(graph)
    for node in graph.node:
        options = attributes(node)
        pads = options.get("pads")
        if node.op_type != "MaxPool" or not isinstance(pads, list) or options.get("auto_pad", b"NOTSET") != b"NOTSET":
            continue
        begins, ends = pads[: len(pads) // 2], pads[len(pads) // 2 :]
        before, after = known.get(node.input[0], ())[2:], known.get(node.output[0], ())[2:]
        if begins == ends or None in before or None in after or not len(begins) == len(before) == len(after):
            continue
        ones = [1] * len(before)
        lists = (options.get("kernel_shape", ones), options.get("strides", ones), options.get("dilations", ones))
        rows = zip(before, begins, *lists, strict=True)  # type: ignore[call-overload]
        if after == tuple(_windows(*row) for row in rows):
            set_attributes(node, pads=begins * 2, ceil_mode=1)


def _windows(side: int, padding: int, width: int, stride: int, dilation: int) -> int:
    """How many windows there are, the last of which may reach beyond the image but starts in it."""
    count = -(-(side + 2 * padding - dilation * (width - 1) - 1) // stride) + 1
    return count - ((count - 1) * stride >= side + padding)


def _leave_out_zero_rule(graph: "GraphProto", weights: Weights) -> None:
    """Take `allowzero` from reshapings to a shape without a zero, to which it means nothing."""
    known = constants(graph, weights)
    for node in graph.node:
        shape = known.get(node.input[1]) if node.op_type == "Reshape" and len(node.input) == 2 else None
        if shape is not None and 0 not in shape:
            set_attributes(node, allowzero=None)


def _make_axes_attributes(graph: "GraphProto", weights: Weights) -> None:
    """Axes of reductions, and counts of splits, as they were given before opset 18."""
    known = constants(graph, weights)
    for node in graph.node:
        if node.op_type.startswith("Reduce") and node.op_type != "ReduceSum" and len(node.input) == 2:
            axes = known.get(node.input[1])
            if axes is not None and axes.size:
                del node.input[1:]
                set_attributes(node, axes=[int(axis) for axis in axes.reshape(-1)])
        elif node.op_type == "Split" and "num_outputs" in attributes(node):
            _list_parts(graph, node)


def _list_parts(graph: "GraphProto", node: "NodeProto") -> None:
    """The sizes of the parts of a split, of which only the number was given."""
    from onnx import numpy_helper

    axis, sides = int(attributes(node).get("axis", 0)), shapes(graph).get(node.input[0], ())  # type: ignore[call-overload]
    side = sides[axis] if -len(sides) <= axis < len(sides) else None
    if side:
        part = math.ceil(side / len(node.output))
        parts = np.asarray([min(part, side - part * index) for index in range(len(node.output))], np.int64)
        name = f"{node.output[0]}_parts"
        graph.initializer.append(numpy_helper.from_array(parts, name))
        node.input.append(name)
        set_attributes(node, num_outputs=None)
