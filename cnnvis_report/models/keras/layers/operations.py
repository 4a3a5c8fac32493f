"""Operations of keras.ops that stand in a graph by themselves, such as the `+` of two tensors."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.models.keras.axes import CHANNELS_LAST, Axes
from cnnvis_report.models.keras.layers.activations import PLAIN, Exponential
from cnnvis_report.models.keras.layers.merging import aligned
from cnnvis_report.models.keras.parameters import constant
from cnnvis_report.models.keras.registry import Call, Converted, Input, NotConverted, builds, same

ARITHMETIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": torch.add,
    "Subtract": torch.sub,
    "Multiply": torch.mul,
    "Divide": torch.div,
    "TrueDivide": torch.div,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
    "Power": torch.pow,
}
ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "LogSigmoid": "log_sigmoid",
    "Silu": "silu",
    "HardSilu": "hard_silu",
    "Tanh": "tanh",
    "Selu": "selu",
    "Softplus": "softplus",
    "Softsign": "softsign",
}


class Arithmetic(nn.Module):
    """Two tensors, or a tensor and a constant, joined number by number."""

    def __init__(self, kind: str, left: Tensor | None = None, right: Tensor | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("left", left)
        self.register_buffer("right", right)

    def forward(self, *tensors: Tensor) -> Tensor:
        """Of shapes that are broadcast over each other."""
        first = tensors[0] if self.left is None else self.left
        second = tensors[-1] if self.right is None else self.right
        return ARITHMETIC[self.kind](first, second)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return self.kind


class Reduce(nn.Module):
    """The mean, sum or maximum over some dimensions."""

    def __init__(self, kind: str, dimensions: tuple[int, ...], *, keep: bool) -> None:
        super().__init__()
        self.kind, self.dimensions, self.keep = kind, dimensions, keep

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape that has these dimensions."""
        if self.kind == "Mean":
            return x.mean(self.dimensions, self.keep)
        return x.sum(self.dimensions, self.keep) if self.kind == "Sum" else x.amax(self.dimensions, self.keep)


class Part(nn.Module):
    """A part of a tensor by numbers and slices."""

    def __init__(self, index: tuple[Any, ...]) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape that has so many dimensions."""
        return x[self.index]


class Stack(nn.Module):
    """Tensors side by side along a new dimension."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, *tensors: Tensor) -> Tensor:
        """Of equal shapes."""
        return torch.stack(tensors, self.dimension)


@builds(*(f"ops.{name}" for name in ARITHMETIC))
def arithmetic(call: Call) -> Converted:
    """The sum of two tensors, say, or of a tensor and a constant."""
    kind = type(call.layer).__name__
    operands = [*call.arguments, *call.options.values()]
    if len(operands) != 2:
        raise NotConverted(f"is {kind} of {len(operands)} operands")
    if all(isinstance(operand, Input) for operand in operands):
        if call.inputs[0].rank != call.inputs[1].rank:
            raise NotConverted(f"is {kind} of tensors with different numbers of axes")
        inputs = aligned(call.inputs)
        return Converted(Arithmetic(kind), inputs, inputs[0].shaped(call.output))
    position = next(position for position, operand in enumerate(operands) if not isinstance(operand, Input))
    number = constant(operands[position])
    axes = call.input if call.input.grid is None or number.numel() == 1 else call.input.plain()
    if number.dim() > axes.rank:
        raise NotConverted(f"is {kind} with a constant of {number.dim()} axes")
    number = number if number.dim() == 0 else axes.laid_out(number)
    module = Arithmetic(kind, left=number) if position == 0 else Arithmetic(kind, right=number)
    return Converted(module, (axes,), axes.shaped(call.output))


@builds(*(f"ops.{name}" for name in ACTIVATIONS))
def unary(call: Call) -> Converted:
    """An activation that was called as a function."""
    return same(PLAIN[ACTIVATIONS[type(call.layer).__name__]](), call.input, call.output)


@builds("ops.Gelu")
def gelu(call: Call) -> Converted:
    """A GELU, exact or by a tanh."""
    return same(nn.GELU("tanh" if call.layer.approximate else "none"), call.input, call.output)


@builds("ops.Exp")
def exponential(call: Call) -> Converted:
    """The exponential function."""
    return same(Exponential(), call.input, call.output)


@builds("ops.Softmax")
def softmax(call: Call) -> Converted:
    """A softmax along one axis."""
    return same(nn.Softmax(dim=call.input.dimension(call.layer.axis)), call.input, call.output)


@builds("ops.Cast", "ops.StopGradient")
def identity(call: Call) -> Converted:
    """What leaves the numbers as they are: all are of float32 here."""
    return same(nn.Identity(), call.input, call.output)


@builds("ops.Mean", "ops.Sum", "ops.Max")
def reduce(call: Call) -> Converted:
    """A mean, a sum or a maximum over axes of Keras."""
    layer, axes = call.layer, call.input if call.input.grid is None else call.input.plain()
    axis_list = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    reduced = sorted(axis % axes.rank for axis in (range(1, axes.rank) if axis_list is None else axis_list))
    if 0 in reduced or axis_list is None:
        raise NotConverted("mixes images with each other")
    kind = type(layer).__name__
    module = Reduce(kind, tuple(axes.dimension(axis) for axis in reduced), keep=bool(layer.keepdims))
    output = axes.shaped(call.output) if layer.keepdims else without(axes, reduced, call)
    return Converted(module, (axes,), output)


def without(axes: Axes, dropped: list[int], call: Call) -> Axes:
    """The axes of a tensor that has lost some, in the order in which the others lie."""
    left = [axis for axis in range(axes.rank) if axis not in dropped]
    return Axes(call.output, tuple(left.index(axis) for axis in axes.order if axis in left))


@builds("ops.GetItem")
def get_item(call: Call) -> Converted:
    """A part of a tensor, such as one channel."""
    axes = call.input if call.input.grid is None else call.input.plain()
    index = call.arguments[1] if len(call.arguments) > 1 else call.options.get("key")
    index = list(index) if isinstance(index, list | tuple) else [index]
    if index.count(Ellipsis):
        position = index.index(Ellipsis)
        index[position : position + 1] = [slice(None)] * (axes.rank - len(index) + 1)
    index += [slice(None)] * (axes.rank - len(index))
    if len(index) != axes.rank or not all(isinstance(part, int | slice) for part in index):
        raise NotConverted("takes a part of a tensor by other than numbers and slices")
    if index[0] != slice(None):
        raise NotConverted("takes some of the images")
    module = Part(tuple(index[axis] for axis in axes.order))
    dropped = [axis for axis, part in enumerate(index) if isinstance(part, int)]
    return Converted(module, (axes,), without(axes, dropped, call))


@builds("ops.Stack")
def stack(call: Call) -> Converted:
    """Tensors side by side along a new axis."""
    inputs = tuple(axes.plain() for axes in call.inputs)
    rank = inputs[0].rank + 1
    if rank == 4 and call.layer.axis % rank == 3:  # channels of images
        return Converted(Stack(1), inputs, Axes(call.output, CHANNELS_LAST))
    return Converted(Stack(call.layer.axis % rank), inputs, Axes.as_in_keras(call.output))


@builds("ops.ExpandDims", "ops.Squeeze")
def axes_of_one(call: Call) -> Converted:
    """Axes of size 1 that come or go: another shape, in Keras's order."""
    from cnnvis_report.models.keras.layers.reshaping import reshape

    return reshape(call)
