"""Operations whose shapes, axes or indices are constants, as layers that have them as numbers.

onnx2torch's own layers read them from tensors in each pass, which takes longer than the operation, and on a GPU waits
for it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.models.onnx_graphs.values import attributes
from cnnvis_report.models.onnx_graphs.weights import Array, Weights, constants

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

DOMAIN = "cnnvis_report_numbers"
HIGHEST = (1 << 63) - 1
MOST_SIDES = 1000  # that shapes and indices have; longer tensors are weights or tables


class Reshape(nn.Module):
    """A reshaping to a shape, in which 0 stands for a side that stays and -1 for what is left."""

    def __init__(self, shape: list[int]) -> None:
        super().__init__()
        self.shape = shape
        self.stays = 0 in shape

    def forward(self, values: Tensor) -> Tensor:
        """The values in the shape."""
        if self.stays:
            return values.reshape([values.shape[axis] if side == 0 else side for axis, side in enumerate(self.shape)])
        return values.reshape(self.shape)


class Slice(nn.Module):
    """Entries from starts to ends along axes."""

    def __init__(self, axes: list[int], starts: list[int], ends: list[int], steps: list[int]) -> None:
        super().__init__()
        self.parts = {
            axis: slice(start, None if end == HIGHEST else end, step)
            for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
        }

    def forward(self, values: Tensor) -> Tensor:
        """The entries."""
        whole = slice(None)
        parts = {axis % values.ndim: part for axis, part in self.parts.items()}
        return values[tuple(parts.get(axis, whole) for axis in range(max(parts) + 1))]


class Select(nn.Module):
    """The entry at an index along an axis."""

    def __init__(self, axis: int, index: int) -> None:
        super().__init__()
        self.axis, self.index = axis, index

    def forward(self, values: Tensor) -> Tensor:
        """The entry, without that axis."""
        return values.select(self.axis, self.index)


class Split(nn.Module):
    """Parts of these sizes along an axis."""

    def __init__(self, axis: int, sizes: list[int]) -> None:
        super().__init__()
        self.axis, self.sizes = axis, sizes

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        """The parts."""
        return torch.split(values, self.sizes, self.axis)


class Concat(nn.Module):
    """Values beside each other along an axis; along others, a constant that has one entry has as many as the rest."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        """The values in one."""
        axis = self.axis % values[0].ndim
        sides = [max(row) for row in zip(*(value.shape for value in values), strict=True)]
        wide = (value.expand([*sides[:axis], value.shape[axis], *sides[axis + 1 :]]) for value in values)
        return torch.cat(tuple(wide), axis)


LAYERS = {layer.__name__: layer for layer in (Reshape, Slice, Select, Split, Concat)}


def fix_numbers(model: "ModelProto", weights: Weights) -> None:
    """Let operations have their constants as attributes, where the layers of this file read them."""
    from onnx import helper

    known = constants(model.graph, weights)
    fixed = False
    for node in model.graph.node:
        numbers = _numbers(node, known) if not node.domain else None
        if numbers is None:
            continue
        operation, options = numbers
        inputs = list(node.input) if operation == "Concat" else node.input[:1]
        layer = helper.make_node(operation, inputs, list(node.output), name=node.name, domain=DOMAIN, **options)
        node.CopyFrom(layer)
        fixed = True
    if fixed:
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))


def _numbers(node: "NodeProto", known: dict[str, Array]) -> tuple[str, dict[str, Any]] | None:
    """The layer that a node is, and its options; None where it stays as it is."""
    if node.op_type not in LAYERS and node.op_type != "Gather":
        return None
    options = attributes(node)
    numbers = [known.get(name, np.empty(0)) for name in node.input[1:]]
    listed = [array.reshape(-1).tolist() if array.size <= MOST_SIDES else [] for array in numbers]
    if node.op_type == "Concat" and any(name in known for name in node.input):
        return "Concat", {"axis": options["axis"]}
    if not listed or node.input[0] in known or not listed[0]:
        return None
    if node.op_type == "Reshape" and not options.get("allowzero"):
        return "Reshape", {"shape": listed[0]}
    if node.op_type == "Gather" and numbers[0].ndim == 0:
        return "Select", {"axis": options.get("axis", 0), "index": listed[0][0]}
    if node.op_type == "Split" and len(listed[0]) == len(node.output) > 1:
        return "Split", {"axis": options.get("axis", 0), "sizes": listed[0]}
    if node.op_type == "Slice" and all(listed) and len(listed) >= 2:
        axes = listed[2] if len(listed) > 2 else list(range(len(listed[0])))
        steps = listed[3] if len(listed) > 3 else [1] * len(axes)
        if min(steps) > 0 and len({len(axes), len(listed[0]), len(listed[1]), len(steps)}) == 1:
            return "Slice", {"axes": axes, "starts": listed[0], "ends": listed[1], "steps": steps}
    return None


def read_fixed_numbers() -> None:
    """Let onnx2torch read these layers."""
    from onnx2torch.node_converters.registry import add_converter, get_converter
    from onnx2torch.utils.common import OnnxMapping, OperationConverterResult

    def layer(node: Any, _graph: Any) -> Any:
        module = LAYERS[node.operation_type](**node.attributes)
        return OperationConverterResult(module, OnnxMapping(node.input_values, node.output_values))

    for operation in LAYERS:
        try:
            get_converter(operation, 1, DOMAIN)
        except NotImplementedError:
            add_converter(operation, 1, DOMAIN)(layer)
