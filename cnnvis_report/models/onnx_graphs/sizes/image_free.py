"""Finds what an ONNX graph computes of the sizes of its values alone, such as the shapes that it reshapes to."""

from typing import TYPE_CHECKING

from cnnvis_report.models.onnx_graphs.values import MOST_FOLDED, copied, prune, with_shapes
from cnnvis_report.models.onnx_graphs.weights import Array, Weights, set_aside

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

SIZES = {"Shape", "Size"}
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}


def image_free(graph: "GraphProto", images: str) -> tuple[str, ...]:
    """The values that don't depend on pixels, but for the size of images, and are read by operations that do."""
    free, read = set[str](), set[str]()
    seen = {images}
    for node in graph.node:
        depends = any(name in seen for name in node.input) and node.op_type not in SIZES
        if depends or node.op_type in RANDOM or node.domain not in ("", "ai.onnx"):
            seen.update(node.output)
            read.update(node.input)
        else:
            free.update(node.output)
    return tuple(name for node in graph.node if read & free & set(node.output) for name in node.output if name)


def of_fixed_size(
    model: "ModelProto", weights: Weights, images: str, sides: tuple[int, ...], numbers: dict[str, Array], name: str
) -> "ModelProto":
    """A copy of a graph for images of these sides, with the numbers of its `image_free` values in their place."""
    from onnx import numpy_helper

    fixed = copied(model)
    for value in fixed.graph.input:
        if value.name == images:
            for side, number in zip(value.type.tensor_type.shape.dim, sides, strict=True):
                side.dim_value = number
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    constants = {key: value for key, value in numbers.items() if value.size <= MOST_FOLDED}
    nodes = [node for node in fixed.graph.node if not constants.keys() & set(node.output)]
    del fixed.graph.node[:]
    fixed.graph.node.extend(nodes)
    fixed.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in constants.items())
    prune(fixed.graph)
    set_aside(fixed.graph, weights)
    return with_shapes(fixed, name)
