"""The operations that an ONNX graph makes a value of, to find the layers in it that are written in parts."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cnnvis_report.models.onnx_graphs.values import Sides, shapes
from cnnvis_report.models.onnx_graphs.weights import Array, Weights, constants

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

CLOSE = 1e-5  # relative: what rounding to single precision leaves of a constant
DEEPEST = 4  # products within a product


@dataclass(frozen=True)
class Parts:
    """What gives each value of a graph, how many read it, the constants, and the sides."""

    graph: "GraphProto"
    sources: dict[str, "NodeProto"]
    readers: Counter[str]
    known: dict[str, Array]
    sides: dict[str, Sides]

    @classmethod
    def of(cls, graph: "GraphProto", weights: Weights) -> Self:
        """Those of a graph."""
        return cls(
            graph,
            {name: node for node in graph.node for name in node.output if node.domain == ""},
            Counter([*(name for node in graph.node for name in node.input), *(value.name for value in graph.output)]),
            constants(graph, weights),
            shapes(graph),
        )

    def add(self, name: str, value: Array) -> str:
        """Give the graph a constant more; its name."""
        from onnx import numpy_helper

        self.graph.initializer.append(numpy_helper.from_array(value, name))
        self.known[name] = value
        return name

    def number(self, name: str) -> float | None:
        """A constant of one number."""
        value = self.known.get(name)
        return float(value.reshape(-1)[0]) if value is not None and value.size == 1 else None

    def source(self, name: str, *operations: str, readers: int = 1) -> "NodeProto | None":
        """The node that gives a value, where it is one of these and so many at most read what it gives."""
        node = self.sources.get(name)
        return node if node is not None and node.op_type in operations and self.readers[name] <= readers else None

    def beside(self, node: "NodeProto", number: float) -> str:
        """The input of a node of two whose other one is this number; empty where none is."""
        for one, other in ((0, 1), (1, 0)):
            if len(node.input) == 2 and is_close(self.number(node.input[other]), number):
                return str(node.input[one])
        return ""

    def product(self, node: "NodeProto", depth: int = 0) -> tuple[float, tuple[str, ...]]:
        """A number and values that give, multiplied, what a Mul or Div gives; not a number where there are none."""
        scale, factors = 1.0, tuple[str, ...]()
        for index, name in enumerate(node.input):
            divides = node.op_type == "Div" and index == 1
            number = self.number(name)
            inner = self.source(name, "Mul", "Div") if depth < DEEPEST else None
            if divides and not number:
                return math.nan, ()
            if number is not None:
                scale = scale / number if divides else scale * number
            elif inner is not None:
                more, others = self.product(inner, depth + 1)
                scale, factors = scale * more, (*factors, *others)
            else:
                factors = (*factors, name)
        return scale, factors


def is_close(number: float | None, expected: float) -> bool:
    """Whether a constant is the number, as far as single precision keeps it."""
    return number is not None and math.isclose(number, expected, rel_tol=CLOSE)
