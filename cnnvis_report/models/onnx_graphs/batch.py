"""Frees an ONNX graph of the number of images that it was exported for."""

import math
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.models.onnx_graphs.values import Array, Sides, attributes, constants, shapes

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

# operations that treat the entries along the first dimension one by one, whatever their attributes
ENTRY_BY_ENTRY = (
    "Abs Add And AveragePool BatchNormalization Cast Ceil Celu Clip Conv ConvTranspose Cos DepthToSpace Div Dropout "
    "Elu Equal Erf Exp Floor Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GroupNormalization HardSigmoid "
    "HardSwish Identity InstanceNormalization LRN LeakyRelu Less Log MatMul Max MaxPool Mean Min Mish Mul Neg Not Or "
    "PRelu Pad Pow Reciprocal Relu Resize Round Selu Sigmoid Sign Sin Softplus Softsign SpaceToDepth Sqrt Sub Sum Tan "
    "Tanh Upsample Where"
)
BY_AXIS = "Softmax LogSoftmax Concat Split Flatten LayerNormalization"


def free_batch(graph: "GraphProto", images: str, batch: int) -> None:
    """Make graphs that were exported for `batch` images take any number, as far as that can be proven.

    A reshaping to (batch, ...) of what has the images along its first dimension leaves them there, whatever their
    number is; what else depends on it is found when several images are run.

    Args:
        images: the name of the input.
    """
    from onnx import numpy_helper

    known, sides = constants(graph), shapes(graph)
    led = {images}  # values with the images along their first dimension
    for number, node in enumerate(graph.node):
        if not any(name in led for name in node.input) or not node.output:
            continue
        if node.op_type == "Reshape":
            shape = _free_shape(node, known, sides, batch) if node.input[0] in led else None
            if shape is None:
                continue
            if not np.array_equal(shape, known[node.input[1]]):
                name = f"{node.output[0]}_shape_{number}"
                graph.initializer.append(numpy_helper.from_array(shape, name))
                node.input[1] = name
        elif not _keeps_images_first(node, known, sides, led):
            continue
        led.update(node.output)
    _forget_batch(graph, images)


def _free_shape(node: "NodeProto", known: dict[str, Array], sides: dict[str, Sides], batch: int) -> Array | None:
    """The shape of a reshaping that leaves the first dimension as it is; None where this one may not."""
    shape, before = known.get(node.input[1]), sides.get(node.input[0])
    if shape is None or before is None or shape.ndim != 1 or not len(shape) or attributes(node).get("allowzero"):
        return None
    rest = [int(side) for side in shape[1:]]
    if shape[0] == 0:
        return shape
    if shape[0] == -1:
        sides_before = before[1:]
        fits = (
            None not in sides_before
            and 0 not in rest
            and math.prod(rest) == math.prod(side or 1 for side in sides_before)
        )
        return shape if fits else None
    if shape[0] != batch:
        return None
    return np.asarray([0, *rest] if -1 in rest else [-1, *rest] if 0 not in rest else [0, *rest], np.int64)


def _keeps_images_first(node: "NodeProto", known: dict[str, Array], sides: dict[str, Sides], led: set[str]) -> bool:
    options = attributes(node)
    if node.op_type in ENTRY_BY_ENTRY.split():
        return _is_broadcast_within_images(node, sides, led)
    if node.input[0] not in led:
        return False
    count = len(sides.get(node.input[0], ()))
    if node.op_type in BY_AXIS.split():
        axis = int(options.get("axis", 0 if node.op_type in ("Split", "Concat") else -1))  # type: ignore[call-overload]
        inputs = node.input if node.op_type == "Concat" else node.input[:1]
        first = axis == 0 if axis >= 0 or not count else axis + count == 0
        return not first and all(name in led for name in inputs)
    if node.op_type == "Transpose":
        perm = options.get("perm")
        return isinstance(perm, list) and perm[:1] == [0]
    axes = options.get("axes", known.get(node.input[1]) if len(node.input) > 1 else None)
    if node.op_type == "Slice":
        axes = known.get(node.input[3]) if len(node.input) > 3 else options.get("axes")
    if node.op_type in ("Squeeze", "Unsqueeze", "Slice") or node.op_type.startswith("Reduce"):
        if axes is None or not count:
            return False
        ranks = count + len(list(axes)) if node.op_type == "Unsqueeze" else count  # type: ignore[call-overload]
        return all(int(axis) % ranks != 0 for axis in axes)  # type: ignore[attr-defined]
    return False


def _is_broadcast_within_images(node: "NodeProto", sides: dict[str, Sides], led: set[str]) -> bool:
    """Whether no other input has entries along the images' dimension: constants of one, or images themselves."""
    if node.op_type == "Gemm" and (attributes(node).get("transA") or node.input[0] not in led):
        return False
    if node.op_type in ("Conv", "ConvTranspose", "Gemm", "BatchNormalization", "PRelu", "Pad", "Resize", "Upsample"):
        return node.input[0] in led
    ranks = [len(sides[name]) for name in node.input if name in led and name in sides]
    if not ranks:
        return False
    for name in node.input:
        if name and name not in led:
            other = sides.get(name)
            if other is None or len(other) > max(ranks) or (len(other) == max(ranks) and other[0] != 1):
                return False
    return len(set(ranks)) == 1


def _forget_batch(graph: "GraphProto", images: str) -> None:
    """Let the input, and all that was inferred from it, be of any number of images."""
    for value in (*graph.input, *graph.output):
        side = value.type.tensor_type.shape.dim[:1]
        if (value.name == images or value in graph.output) and side:
            side[0].Clear()
            side[0].dim_param = "batch"
