"""Finds the activations that an ONNX graph has as a product of their parts."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from cnnvis_report.models.onnx_graphs.parts import Parts, is_close
from cnnvis_report.models.onnx_graphs.values import attributes

if TYPE_CHECKING:
    from onnx import NodeProto

CUBIC = 0.044715  # of the tanh that stands for the distribution function: Hendrycks and Gimpel 2016, arXiv:1606.08415


def activation(parts: Parts, node: "NodeProto") -> tuple[str, list[str]] | None:
    """The activation that a node ends, and what it is of; None where there is none."""
    if node.op_type in ("Gelu", "Mish"):
        tanh = attributes(node).get("approximate") == b"tanh"
        return "Mish" if node.op_type == "Mish" else "TanhGELU" if tanh else "GELU", [node.input[0]]
    if node.op_type == "HardSigmoid":
        return ("Hardsigmoid", [node.input[0]]) if _has_slope_of_a_sixth(node) else None
    if node.op_type not in ("Mul", "Div"):
        return None
    scale, factors = parts.product(node)
    if len(factors) == 1:
        return ("Hardsigmoid", [source]) if (source := _clipped(parts, factors[0], scale)) else None
    if len(factors) != 2:
        return None
    for source, gate in (factors, factors[::-1]):
        for name, gated in GATES.items():
            if gated(parts, gate, scale) == source:
                return name, [source]
    return None


def _sigmoid(parts: Parts, gate: str, scale: float) -> str:
    """What the sigmoid of a SiLU is of; empty where the gate is none."""
    node = parts.source(gate, "Sigmoid") if is_close(scale, 1) else None
    return str(node.input[0]) if node is not None else ""


def _hard_sigmoid(parts: Parts, gate: str, scale: float) -> str:
    """What the gate of a Hardswish is of, x + 3 between 0 and 6 over 6."""
    node = parts.source(gate, "HardSigmoid") if is_close(scale, 1) else None
    if node is not None and _has_slope_of_a_sixth(node):
        return str(node.input[0])
    return _clipped(parts, gate, scale)


def _clipped(parts: Parts, gate: str, scale: float) -> str:
    node = parts.source(gate, "Clip") if is_close(scale, 1 / 6) else None
    if node is None:
        return ""
    options = attributes(node)
    low, high = (
        parts.number(node.input[index]) if len(node.input) > index else options.get(name)
        for index, name in ((1, "min"), (2, "max"))
    )
    moved = parts.source(node.input[0], "Add")
    return parts.beside(moved, 3) if moved is not None and (low, high) == (0.0, 6.0) else ""


def _tanh_of_softplus(parts: Parts, gate: str, scale: float) -> str:
    """What the gate of a Mish is of."""
    node = parts.source(gate, "Tanh") if is_close(scale, 1) else None
    inner = parts.source(node.input[0], "Softplus") if node is not None else None
    return str(inner.input[0]) if inner is not None else ""


def _normal_distribution(parts: Parts, gate: str, scale: float) -> str:
    """What the gate of a GELU is of, half of 1 + erf(x / √2)."""
    node = _one_more_than(parts, gate, scale, "Erf")
    inner = parts.source(node.input[0], "Mul", "Div") if node is not None else None
    factor, factors = parts.product(inner) if inner is not None else (0.0, ())
    return factors[0] if len(factors) == 1 and is_close(factor, math.sqrt(0.5)) else ""


def _tanh_of_cube(parts: Parts, gate: str, scale: float) -> str:
    """What the gate of a GELU by tanh is of, half of 1 + tanh(√(2/π) (x + 0.044715 x³))."""
    node = _one_more_than(parts, gate, scale, "Tanh")
    inner = parts.source(node.input[0], "Mul", "Div") if node is not None else None
    factor, factors = parts.product(inner) if inner is not None else (0.0, ())
    total = parts.source(factors[0], "Add") if len(factors) == 1 and is_close(factor, math.sqrt(2 / math.pi)) else None
    if total is None:
        return ""
    for source, cubic in ((0, 1), (1, 0)):
        product = parts.source(total.input[cubic], "Mul")
        if product is not None and _is_cube(parts, product, total.input[source]):
            return str(total.input[source])
    return ""


def _is_cube(parts: Parts, node: "NodeProto", source: str) -> bool:
    """Whether a product is 0.044715 times the third power of the source."""
    factor, factors = parts.product(node)
    power = parts.source(factors[0], "Pow") if len(factors) == 1 else None
    if power is not None and parts.number(power.input[1]) == 3:
        factors = (power.input[0],) * 3
    return is_close(factor, CUBIC) and factors == (source,) * 3


def _one_more_than(parts: Parts, gate: str, scale: float, operation: str) -> "NodeProto | None":
    node = parts.source(gate, "Add") if is_close(scale, 0.5) else None
    return parts.source(parts.beside(node, 1), operation) if node is not None else None


def _has_slope_of_a_sixth(node: "NodeProto") -> bool:
    options = attributes(node)
    slope, middle = options.get("alpha", 0.2), options.get("beta", 0.5)
    return isinstance(slope, float) and is_close(slope, 1 / 6) and middle == 0.5


GATES: dict[str, Callable[[Parts, str, float], str]] = {
    "SiLU": _sigmoid,
    "Hardswish": _hard_sigmoid,
    "Mish": _tanh_of_softplus,
    "GELU": _normal_distribution,
    "TanhGELU": _tanh_of_cube,
}
