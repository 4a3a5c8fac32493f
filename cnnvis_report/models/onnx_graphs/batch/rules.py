"""Where the results of an ONNX operation have the images that it reads, whatever their number is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.models.onnx_graphs.batch import moves
from cnnvis_report.models.onnx_graphs.batch.rows import Rows, Values, with_images

if TYPE_CHECKING:
    from onnx import NodeProto

ENTRY_BY_ENTRY = (
    "Abs Add And Cast Ceil Celu Clip Cos Div Dropout Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid "
    "HardSwish Identity LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or Pow PRelu Reciprocal Relu "
    "Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Tan Tanh Where"
)
IMAGE_BY_IMAGE = (
    "AveragePool BatchNormalization Conv ConvTranspose DepthToSpace GlobalAveragePool GlobalMaxPool "
    "GroupNormalization InstanceNormalization LRN MaxPool Resize SpaceToDepth Upsample"
)

Rule = Callable[[Values, "NodeProto"], Rows | None]


def _entries(values: Values, node: "NodeProto") -> Rows | None:
    """Operations that broadcast their inputs: others than images have one entry along the images' dimension."""
    inputs = [name for name in node.input if name]
    if any(name not in values.sides for name in inputs):
        return values.rows.get(node.input[0]) if len(inputs) == 1 else None
    ranks = {name: len(values.sides[name]) for name in inputs}
    behind = {
        (ranks[name] - values.rows[name].axis, values.rows[name]._replace(axis=0)) for name in with_images(values, node)
    }
    if len(behind) != 1:
        return None
    ((last, rows),) = behind
    total = rows.number * rows.outer * values.batch
    others = [index for index, name in enumerate(node.input) if name and name not in values.rows]
    fits = all(_is_same_for_all(values, node, index, last, total) for index in others)
    return rows._replace(axis=max(ranks.values()) - last) if fits else None


def _is_same_for_all(values: Values, node: "NodeProto", index: int, last: int, total: int) -> bool:
    """Whether an input has one entry along the images' dimension; a constant that repeats one gets just that."""
    name = node.input[index]
    sides, constant = values.sides[name], values.known.get(name)
    if len(sides) < last or sides[-last] == 1:
        return True
    if constant is None or sides[-last] != total:
        return False
    one = constant.take([0], axis=-last)
    if not np.array_equal(np.broadcast_to(one, constant.shape), constant):
        return False
    values.replace(node, index, np.ascontiguousarray(one))
    return True


def _images(values: Values, node: "NodeProto") -> Rows | None:
    rows = values.rows.get(node.input[0])
    return rows if rows is not None and rows.axis == 0 and not with_images(values, node, 1) else None


def _gemm(values: Values, node: "NodeProto") -> Rows | None:
    first = values.first(node)
    if first is None or values.options(node).get("transA") or with_images(values, node, 1):
        return None
    return first[0] if first[0].axis < first[1] - 1 else None


def _matmul(values: Values, node: "NodeProto") -> Rows | None:
    """Rows of the first matrix, columns of the second, or matrices: each is multiplied by itself."""
    ranks = [len(values.sides.get(name, ())) for name in node.input]
    names = with_images(values, node)
    if min(ranks) < 2:
        return None
    if len(names) == 1:
        index = list(node.input).index(names[0])
        last = ranks[index] - values.rows[names[0]].axis
        if last == 2 - index:
            return values.rows[names[0]]._replace(axis=max(ranks) - last)
    rows = _entries(values, node)
    return rows if rows is not None and rows.axis < max(ranks) - 2 else None


def _normalized(values: Values, node: "NodeProto") -> Rows | None:
    """What is normalized over an axis, or over that and all behind it, as Softmax does in older versions."""
    first = values.first(node)
    default = 1 if node.op_type.endswith("Softmax") else -1
    return first[0] if first and first[0].axis < int(values.options(node).get("axis", default)) % first[1] else None


def _concat(values: Values, node: "NodeProto") -> Rows | None:
    """Images beside each other, or beside constants, which the converter repeats for all of them."""
    rows = _entries(values, node)
    ranks = {len(values.sides.get(name, ())) for name in node.input}
    if (
        rows is None
        or len(ranks) != 1
        or (rows.number * rows.outer > 1 and len(with_images(values, node)) < len(node.input))
    ):
        return None
    return rows if int(values.options(node).get("axis", 0)) % ranks.pop() != rows.axis else None


RULES: dict[str, Rule] = {
    **dict.fromkeys(ENTRY_BY_ENTRY.split(), _entries),
    **dict.fromkeys(IMAGE_BY_IMAGE.split(), _images),
    **dict.fromkeys(("Softmax", "LogSoftmax", "LayerNormalization"), _normalized),
    **dict.fromkeys(("Squeeze", "Reduce"), moves.without),
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Concat": _concat,
    "Split": moves.split,
    "Transpose": moves.transpose,
    "Unsqueeze": moves.unsqueeze,
    "Gather": moves.gather,
    "Slice": moves.sliced,
    "Pad": moves.pad,
    "Expand": moves.expand,
    "Flatten": moves.flatten,
    "Reshape": moves.reshape,
}
