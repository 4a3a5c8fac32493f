"""Leaves out operations of an ONNX graph that move nothing, or that another one undoes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnvis_report.models.onnx_graphs.parts import Parts
from cnnvis_report.models.onnx_graphs.values import attributes, set_attributes
from cnnvis_report.models.onnx_graphs.weights import Weights

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def simplify_moves(graph: "GraphProto", weights: Weights) -> None:
    """Put moves of entries that follow each other together, and leave out those that move nothing."""
    parts = Parts.of(graph, weights)
    outputs = {value.name for value in graph.output}
    same: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        if node.op_type == "Gather":
            _make_reshape(parts, node)
        _join(parts, node)
        if _moves_nothing(parts, node) and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _make_reshape(parts: Parts, node: "NodeProto") -> None:
    """All entries of a row, in their order, are that row in another shape, as exporters write as_strided."""
    indices, sides = parts.known.get(node.input[1]), parts.sides.get(node.input[0])
    if indices is None or sides is None or len(sides) != 1 or indices.size != sides[0] or not indices.ndim:
        return
    if np.array_equal(indices.reshape(-1), np.arange(indices.size)):
        node.op_type = "Reshape"
        del node.attribute[:]
        node.input[1] = parts.add(f"{node.output[0]}_shape", np.asarray(indices.shape, np.int64))


def _join(parts: Parts, node: "NodeProto") -> None:
    """Let a reshaping, or a transposition, read what the one before it reads, which nothing else does."""
    before = parts.source(node.input[0], node.op_type) if node.op_type in ("Reshape", "Transpose") else None
    if before is None:
        return
    if node.op_type == "Transpose":
        inner, outer = attributes(before).get("perm"), attributes(node).get("perm")
        if not isinstance(inner, list) or not isinstance(outer, list) or sorted(inner) != sorted(outer):
            return
        set_attributes(node, perm=[inner[axis] for axis in outer])
    else:
        shape = parts.known.get(node.input[1])
        if shape is None or 0 in shape:
            return
    node.input[0] = before.input[0]


def _moves_nothing(parts: Parts, node: "NodeProto") -> bool:
    if node.op_type == "Transpose":
        perm = attributes(node).get("perm")
        return isinstance(perm, list) and perm == sorted(perm)
    if node.op_type == "Pad":
        pads: Any = attributes(node).get("pads", parts.known.get(node.input[1]) if len(node.input) > 1 else None)
        return pads is not None and not np.any(pads)
    if node.op_type not in ("Slice", "Reshape", "Expand"):
        return False
    before, after = parts.sides.get(node.input[0]), parts.sides.get(node.output[0])
    fixed = before is not None and None not in before and before == after
    return fixed and (node.op_type != "Slice" or _forward(parts, node))


def _forward(parts: Parts, node: "NodeProto") -> bool:
    """Whether a slice doesn't turn the order of entries around."""
    steps: Any = parts.known.get(node.input[4]) if len(node.input) > 4 else np.ones(1)
    return steps is not None and bool(np.all(steps > 0))
