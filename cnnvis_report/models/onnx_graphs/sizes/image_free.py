"""Works out what an ONNX graph computes of the sizes of its values alone, such as the shapes that it reshapes to."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnvis_report.models.onnx_graphs.values import MOST_FOLDED, copied, prune, with_shapes

if TYPE_CHECKING:
    from onnx import ModelProto

SIZES = {"Shape", "Size"}
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}


def of_fixed_size(model: "ModelProto", images: str, sides: tuple[int, ...], name: str) -> "ModelProto":
    """A copy of a graph for images of these sides, with constants in the place of what doesn't depend on their pixels.

    onnxruntime works them out, in one pass.
    """
    from onnx import numpy_helper

    fixed = copied(model)
    for value in fixed.graph.input:
        if value.name == images:
            for side, number in zip(value.type.tensor_type.shape.dim, sides, strict=True):
                side.dim_value = number
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    constants = {key: value for key, value in _run(fixed, images, sides).items() if value.size <= MOST_FOLDED}
    nodes = [node for node in fixed.graph.node if not constants.keys() & set(node.output)]
    del fixed.graph.node[:]
    fixed.graph.node.extend(nodes)
    fixed.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in constants.items())
    prune(fixed.graph)
    return with_shapes(fixed, name)


def _run(model: "ModelProto", images: str, sides: tuple[int, ...]) -> dict[str, Any]:
    """The values that don't depend on pixels and are read by operations that do."""
    import onnxruntime
    from onnx import helper

    free, read = set[str](), set[str]()
    seen = {images}
    for node in model.graph.node:
        depends = any(name in seen for name in node.input) and node.op_type not in SIZES
        if depends or node.op_type in RANDOM or node.domain not in ("", "ai.onnx"):
            seen.update(node.output)
            read.update(node.input)
        else:
            free.update(node.output)
    wanted = [name for node in model.graph.node if read & free & set(node.output) for name in node.output if name]
    if not wanted:
        return {}
    part = copied(model)
    del part.graph.output[:]
    part.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted)
    prune(part.graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (entry,) = [entry for entry in session.get_inputs() if entry.name == images] or [None]
    types = {"tensor(float16)": np.float16, "tensor(double)": np.float64}
    feed = {} if entry is None else {images: np.zeros(sides, types.get(entry.type, np.float32))}
    return dict(zip(wanted, session.run(wanted, feed), strict=True))
