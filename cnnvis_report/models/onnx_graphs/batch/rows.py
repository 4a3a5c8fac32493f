"""What is known of where the values of an ONNX graph have the images that it was exported for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnvis_report.models.onnx_graphs.values import Sides, attributes
from cnnvis_report.models.onnx_graphs.weights import Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


class Rows(NamedTuple):
    """That an axis of a value has `outer` times the images, and `number` rows of one image one after the other."""

    axis: int
    number: int = 1
    outer: int = 1


@dataclass(frozen=True)
class Values:
    """What is known of the values of a graph that was exported for `batch` images; rows: of those that have images."""

    graph: "GraphProto"
    known: dict[str, Array]
    sides: dict[str, Sides]
    batch: int
    rows: dict[str, Rows]

    def options(self, node: "NodeProto") -> dict[str, Any]:
        """The attributes of a node."""
        return attributes(node)

    def axes(self, node: "NodeProto", index: int) -> list[int] | None:
        """Axes, or other whole numbers, that a node has as an attribute, or as an input; None where it has none."""
        listed = self.options(node).get("axes")
        if listed is None and len(node.input) > index and node.input[index] in self.known:
            listed = self.known[node.input[index]].reshape(-1).tolist()
        return None if listed is None else [int(axis) for axis in listed]

    def first(self, node: "NodeProto") -> tuple[Rows, int] | None:
        """The rows of the first input, and how many dimensions it has."""
        rows, sides = self.rows.get(node.input[0]), self.sides.get(node.input[0])
        return (rows, len(sides)) if rows is not None and sides is not None else None

    def replace(self, node: "NodeProto", index: int, value: Array) -> None:
        """Let a node read other numbers."""
        from onnx import numpy_helper

        name = f"{node.output[0]}_of_any_number_{index}"
        self.graph.initializer.append(numpy_helper.from_array(value, name))
        self.known[name], self.sides[name] = value, value.shape
        node.input[index] = name


def with_images(values: Values, node: "NodeProto", first: int = 0) -> list[str]:
    """The inputs of a node, from the first of these, that have images."""
    return [name for name in node.input[first:] if name in values.rows]
