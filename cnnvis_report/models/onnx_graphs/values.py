"""What is known of the values of an ONNX graph before it runs: constants, and shapes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from cnnvis_report.errors import BadRequest, brief
from cnnvis_report.models.onnx_graphs.weights import Array, Weights, constants, set_aside

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

MOST_NUMBERS = 1 << 30  # of one value within a graph
MOST_FOLDED = 1 << 26  # of a constant that is worked out
FOLDED = (
    "Identity Cast Transpose Reshape Squeeze Unsqueeze Shape Add Sub Mul Div Sqrt Neg Reciprocal Exp Pow Floor Concat "
    "Gather Slice"
)

Sides = tuple[int | None, ...]
Message = TypeVar("Message")


def attributes(node: "NodeProto") -> dict[str, object]:
    """The attributes of a node by name, as Python values."""
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def set_attributes(node: "NodeProto", **changed: object) -> None:
    """Change attributes of a node; those that are None are taken away."""
    from onnx import helper

    others = [copied(attribute) for attribute in node.attribute if attribute.name not in changed]
    del node.attribute[:]
    node.attribute.extend(others)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in changed.items() if value is not None)


def copied(message: Message) -> Message:
    """A message of protobuf that no other one holds."""
    copy: Message = type(message).FromString(message.SerializeToString())  # type: ignore[attr-defined]
    return copy


def fold_constants(model: "ModelProto", weights: Weights) -> None:
    """Make initializers of constants, and of what is worked out of constants alone."""
    from onnx import numpy_helper

    graph = model.graph
    known = constants(graph, weights)
    nodes = []
    for node in graph.node:
        results = _folded(node, known, model)
        if results is None:
            nodes.append(node)
            continue
        for name, value in zip(node.output, results, strict=False):
            known[name] = value
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
    del graph.node[:]
    graph.node.extend(nodes)
    prune(graph)
    set_aside(graph, weights)


def _folded(node: "NodeProto", known: dict[str, Array], model: "ModelProto") -> Sequence[Array] | None:
    """The results of a node that depends on constants alone; None where that isn't known."""
    from onnx import numpy_helper

    if node.domain not in ("", "ai.onnx"):
        return None
    if node.op_type == "Constant":
        values = attributes(node)
        name, value = next(iter(values.items()), ("", None))
        if name == "value":
            return [numpy_helper.to_array(value)]
        types = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
        return [np.asarray(value, types[name])] if name in types else None
    if node.op_type not in FOLDED.split() or not all(name in known for name in node.input if name):
        return None
    sizes = [known[name].shape for name in node.input if name]
    try:
        wide = math.prod(np.broadcast_shapes(*sizes)) if node.op_type in ("Add", "Sub", "Mul", "Div", "Pow") else 0
    except ValueError:
        return None
    if max([wide, *map(math.prod, sizes)], default=0) > MOST_FOLDED or not sizes:
        return None
    return _worked_out(node, known, model)


def _worked_out(node: "NodeProto", known: dict[str, Array], model: "ModelProto") -> Sequence[Array] | None:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    nothing = [helper.make_empty_tensor_value_info(name) for name in node.input if name]
    results = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "constants", nothing, results)
    try:
        one = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
        values = ReferenceEvaluator(one).run(None, {name: known[name] for name in node.input if name})
    except Exception:  # a stranger's node may be wrong in any way; a converter will say how
        return None
    fits = all(isinstance(value, np.ndarray | np.generic) and value.size <= MOST_FOLDED for value in values)
    return [np.asarray(value) for value in values] if fits else None


def prune(graph: "GraphProto") -> None:
    """Leave out nodes and initializers that the outputs don't depend on."""
    wanted = {value.name for value in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            nodes.append(node)
            wanted |= set(node.input)
    tensors = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.node[:]
    graph.node.extend(reversed(nodes))
    del graph.initializer[:]
    graph.initializer.extend(tensors)


def with_shapes(model: "ModelProto", name: str) -> "ModelProto":
    """The same graph with the shapes of what its nodes give, as far as they are known.

    Raises:
        BadRequest: a value is larger than can be worked out.
    """
    from onnx import shape_inference

    try:
        inferred: ModelProto = shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise BadRequest(f"{name}: is damaged: its shapes don't fit each other ({brief(error)}).") from error
    for value, sides in shapes(inferred.graph).items():
        if math.prod(side or 1 for side in sides) > MOST_NUMBERS:
            raise BadRequest(f"{name}: its value {value!r} has {' × '.join(map(str, sides))} numbers, too many to run.")
    return inferred


def shapes(graph: "GraphProto") -> dict[str, Sides]:
    """The sides of values by name, None for a side that isn't fixed; values of unknown rank are left out."""
    known: dict[str, Sides] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            sides = value.type.tensor_type.shape.dim
            known[value.name] = tuple(side.dim_value if side.dim_value > 0 else None for side in sides)
    return known
