"""Where moved entries have the images, for operations that change shapes, or leave entries out."""

import math
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.models.onnx_graphs.batch.rows import Rows, Values
from cnnvis_report.models.onnx_graphs.values import Sides, set_attributes
from cnnvis_report.models.onnx_graphs.weights import Array

if TYPE_CHECKING:
    from onnx import NodeProto

WHOLE = 1 << 30  # an end of a slice that is the end of any dimension


def split(values: Values, node: "NodeProto") -> Rows | None:
    """Parts along an axis."""
    first = values.first(node)
    return first[0] if first and int(values.options(node).get("axis", 0)) % first[1] != first[0].axis else None


def transpose(values: Values, node: "NodeProto") -> Rows | None:
    """Axes in another order."""
    first = values.first(node)
    perm = values.options(node).get("perm") or list(range(first[1] if first else 0))[::-1]
    return first[0]._replace(axis=perm.index(first[0].axis)) if first and first[0].axis in perm else None


def unsqueeze(values: Values, node: "NodeProto") -> Rows | None:
    """Axes more, of one entry."""
    first, axes = values.first(node), values.axes(node, 1)
    if first is None or axes is None:
        return None
    rank = first[1] + len(axes)
    others = [axis for axis in range(rank) if axis not in {axis % rank for axis in axes}]
    return first[0]._replace(axis=others[first[0].axis]) if len(others) == first[1] else None


def without(values: Values, node: "NodeProto") -> Rows | None:
    """Dimensions that a node takes away, or leaves with one entry; the images' isn't among them."""
    first, axes = values.first(node), values.axes(node, 1)
    if first is None or not axes:
        return None
    removed = {axis % first[1] for axis in axes}
    stay = node.op_type != "Squeeze" and values.options(node).get("keepdims", 1)
    before = 0 if stay else sum(axis < first[0].axis for axis in removed)
    return first[0]._replace(axis=first[0].axis - before) if first[0].axis not in removed else None


def gather(values: Values, node: "NodeProto") -> Rows | None:
    """Entries at indices that are constants."""
    first, indices = values.first(node), values.sides.get(node.input[1])
    if first is None or indices is None or node.input[1] in values.rows:
        return None
    axis = int(values.options(node).get("axis", 0)) % first[1]
    more = len(indices) - 1 if axis < first[0].axis else 0
    return first[0]._replace(axis=first[0].axis + more) if axis != first[0].axis else None


def sliced(values: Values, node: "NodeProto") -> Rows | None:
    """Entries from one index to another; all of them along the images."""
    first, axes = values.first(node), values.axes(node, 3)
    if first is None or axes is None:
        return None
    starts, ends, _, steps = (values.known.get(name) for name in [*node.input, "", ""][1:5])
    for index, axis in enumerate(axes):
        if axis % first[1] == first[0].axis:
            whole = starts is not None and ends is not None and starts[index] == 0 and ends[index] > WHOLE
            if not whole or (steps is not None and steps[index] != 1):
                return None
    return first[0]


def pad(values: Values, node: "NodeProto") -> Rows | None:
    """Entries more around those that are there."""
    first = values.first(node)
    pads = values.options(node).get("pads", values.known.get(node.input[1]) if len(node.input) > 1 else None)
    if first is None or pads is None or len(node.input) > 3 or len(pads) != 2 * first[1]:
        return None
    return first[0] if pads[first[0].axis] == pads[first[0].axis + first[1]] == 0 else None


def expand(values: Values, node: "NodeProto") -> Rows | None:
    """Entries repeated along an axis, but not along the images."""
    first, shape = values.first(node), values.known.get(node.input[1])
    if first is None or shape is None or shape.ndim != 1:
        return None
    rows, last = first[0], first[1] - first[0].axis
    if len(shape) >= last:
        if shape[-last] not in (1, rows.number * rows.outer * values.batch):
            return None
        free = np.array(shape)
        free[-last] = 1
        values.replace(node, 1, free)
    return rows._replace(axis=max(len(shape), first[1]) - last)


def flatten(values: Values, node: "NodeProto") -> Rows | None:
    """All axes but the first in one."""
    rows = values.rows.get(node.input[0])
    return rows if rows is not None and rows.axis == 0 and values.options(node).get("axis", 1) == 1 else None


def reshape(values: Values, node: "NodeProto") -> Rows | None:
    """A reshaping to fixed sides; what is before the images stays before them, and so on."""
    rows, shape = values.rows.get(node.input[0]), values.known.get(node.input[1])
    before, after = values.sides.get(node.input[0]), values.sides.get(node.output[0])
    if rows is None or shape is None or shape.ndim != 1 or not len(shape):
        return None
    if before is None or after is None or None in before or None in after:
        return _reshape_of_unknown(values, node, rows, shape)
    if len(after) != len(shape) or math.prod(before) != math.prod(after):  # type: ignore[arg-type]
        return None
    moved = _moved(rows, math.prod(before[: rows.axis]), after, values.batch)  # type: ignore[arg-type]
    if moved is not None:
        values.replace(node, 1, np.asarray([*after[: moved.axis], -1, *after[moved.axis + 1 :]], np.int64))
        set_attributes(node, allowzero=None)
    return moved


def _moved(rows: Rows, before: int, sides: Sides, batch: int) -> Rows | None:
    """Where reshaped values have their images: rather by themselves than along with what they are rows of.

    Args:
        before: the product of the sides before that of the images.
    """
    fits = []
    for axis, side in enumerate(sides):
        ahead = math.prod(sides[:axis])  # type: ignore[arg-type]
        outer = before * rows.outer // max(ahead, 1)
        if side and outer and ahead * outer == before * rows.outer and side % (outer * batch) == 0:
            fits.append(Rows(axis, side // (outer * batch), outer))
    last = len(sides) - 1
    return min(
        fits, key=lambda fit: (0 < fit.axis == last and fit.number > 1, fit.outer, fit.axis != rows.axis), default=None
    )


def _reshape_of_unknown(values: Values, node: "NodeProto", rows: Rows, shape: Array) -> Rows | None:
    """A reshaping that says that the first dimension, of images, stays as it is."""
    if rows != Rows(0) or values.options(node).get("allowzero"):
        return None
    rest = [int(side) for side in shape[1:]]
    if shape[0] == 0:
        return rows
    if shape[0] != values.batch:
        return None
    values.replace(node, 1, np.asarray([-1 if 0 not in rest and -1 not in rest else 0, *rest], np.int64))
    return rows
