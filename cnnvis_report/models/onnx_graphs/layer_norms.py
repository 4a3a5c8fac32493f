"""Finds the layer norms that an ONNX graph has in parts, as exporters write them below opset 17."""

from typing import TYPE_CHECKING

from cnnvis_report.models.onnx_graphs.parts import Parts
from cnnvis_report.models.onnx_graphs.values import attributes

if TYPE_CHECKING:
    from onnx import NodeProto


def layer_norm(parts: Parts, node: "NodeProto") -> tuple[list[str], float] | None:
    """What a layer norm that a node ends is of, its weight and its bias as far as there are some, and its epsilon."""
    shift = _with_constant(parts, node, "Add")
    scale = _with_constant(parts, parts.source(shift[0], "Mul"), "Mul") if shift else None
    if shift is None or scale is None:
        return None
    normalized = _normalized(parts, parts.source(scale[0], "Div"))
    if normalized is None:
        return None
    source, epsilon = normalized
    sides = parts.sides.get(source, ())
    fits = bool(sides) and all(parts.known[name].shape == sides[-1:] for name in (scale[1], shift[1]))
    return ([source, scale[1], shift[1]], epsilon) if fits else None


def _with_constant(parts: Parts, node: "NodeProto | None", operation: str) -> tuple[str, str] | None:
    """A value and the constant that a node adds to it or multiplies it by."""
    if node is None or node.op_type != operation:
        return None
    one, other = node.input
    if (one in parts.known) == (other in parts.known):
        return None
    return (one, other) if other in parts.known else (other, one)


def _normalized(parts: Parts, node: "NodeProto | None") -> tuple[str, float] | None:
    """What a node divides by its deviation over the last axis, once its mean is off, and the epsilon in that."""
    root = parts.source(node.input[1], "Sqrt") if node is not None else None
    total = parts.source(root.input[0], "Add") if root is not None else None
    if node is None or total is None:
        return None
    for variance, constant in ((0, 1), (1, 0)):
        epsilon = parts.number(total.input[constant])
        square = _mean_of(parts, total.input[variance])
        power = parts.source(square, "Pow") if square else None
        if epsilon is not None and power is not None and parts.number(power.input[1]) == 2:
            sources = {_centered(parts, power.input[0]), _centered(parts, node.input[0])}
            source = sources.pop()
            return (source, epsilon) if source and not sources else None
    return None


def _centered(parts: Parts, name: str) -> str:
    """What a value is without its mean over the last axis; empty where it is something else."""
    node = parts.source(name, "Sub", readers=2)
    return str(node.input[0]) if node is not None and _mean_of(parts, node.input[1], 2) == node.input[0] else ""


def _mean_of(parts: Parts, name: str, readers: int = 1) -> str:
    """What a value is the mean of over the last axis; empty where it is something else."""
    node = parts.source(name, "ReduceMean", readers=readers)
    options = attributes(node) if node is not None else {}
    if node is None or options.get("keepdims", 1) != 1:
        return ""
    last = len(parts.sides.get(node.input[0], ())) - 1
    return str(node.input[0]) if options.get("axes") in ([-1], [last]) else ""
