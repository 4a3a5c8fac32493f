"""The large tensors of an ONNX graph, held beside it, so that the graph alone is copied while it is prepared."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto

MOST_COPIED = 1 << 14  # bytes of an initializer that stay in the graph
LARGEST_NUMBER = 8  # bytes of one

Array = NDArray[np.generic]
Weights = dict[str, bytes]  # by name; the graph's initializers of these names have a type and sides, and no numbers


def set_aside(graph: "GraphProto", weights: Weights) -> None:
    """Move the numbers of large initializers from a graph to `weights`."""
    from onnx import helper

    for tensor in graph.initializer:
        count = math.prod(tensor.dims)
        if count * LARGEST_NUMBER <= MOST_COPIED or not tensor.HasField("raw_data"):
            continue
        try:
            size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except (KeyError, TypeError, ValueError):  # an unknown type
            continue
        content = tensor.raw_data
        if len(content) == size * count:  # types of less than a byte stay
            weights[tensor.name] = content
            tensor.ClearField("raw_data")


def put_back(graph: "GraphProto", weights: Weights) -> None:
    """Give a graph's initializers the numbers that were set aside."""
    for tensor in graph.initializer:
        if tensor.name in weights:
            tensor.raw_data = weights[tensor.name]


def constants(graph: "GraphProto", weights: Weights) -> dict[str, Array]:
    """The initializers by name."""
    return {tensor.name: _numbers(tensor, weights.get(tensor.name)) for tensor in graph.initializer}


def _numbers(tensor: Any, content: bytes | None) -> Array:
    from onnx import helper, numpy_helper

    if content is None:
        numbers: Array = numpy_helper.to_array(tensor)
    else:
        numbers = np.frombuffer(content, helper.tensor_dtype_to_np_dtype(tensor.data_type)).reshape(tensor.dims)
    return numbers
