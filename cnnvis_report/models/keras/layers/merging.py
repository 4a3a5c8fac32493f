"""Layers that join several tensors."""

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor, nn

from cnnvis_report.models.keras.axes import CHANNELS_LAST, Axes
from cnnvis_report.models.keras.registry import Call, Converted, NotConverted, builds

JOINS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": torch.add,
    "Subtract": torch.sub,
    "Multiply": torch.mul,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
}


class Merge(nn.Module):
    """Joins tensors number by number: by adding, say."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, *tensors: Tensor) -> Tensor:
        """Of shapes that are broadcast over each other; [N, C] is that of a grid of one position."""
        rank = max(tensor.dim() for tensor in tensors)
        tensors = tuple(tensor[(...,) + (None,) * (rank - tensor.dim())] for tensor in tensors)
        return reduce(JOINS[self.kind], tensors)

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return self.kind


class Average(nn.Module):
    """The mean of several tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = Merge("Add")

    def forward(self, *tensors: Tensor) -> Tensor:
        """Of shapes that are broadcast over each other."""
        total: Tensor = self.sum(*tensors)
        return total / len(tensors)


class Concatenate(nn.Module):
    """Tensors behind each other along one dimension."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, *tensors: Tensor) -> Tensor:
        """Of shapes that differ in this dimension alone."""
        return torch.cat(tensors, self.dimension)


class ScaledSum(nn.Module):
    """The first tensor plus the second times a factor, as InceptionResNetV2 has it."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """Of equal shapes."""
        return x + self.scale * residual


def aligned(inputs: tuple[Axes, ...]) -> tuple[Axes, ...]:
    """All tensors in one order, that of the first of those with the most axes.

    Raises:
        NotConverted: they have different numbers of axes, and those of fewer aren't channels [N, C].
    """
    if len(set(inputs)) == 1:
        return inputs
    leading = max(inputs, key=lambda axes: axes.rank)
    leading = leading if leading.grid is None else leading.plain()
    for axes in inputs:
        if axes.rank != leading.rank and (axes.rank, leading.order) != (2, CHANNELS_LAST):
            raise NotConverted("joins tensors with different numbers of axes")
    return tuple(axes.ordered(leading.order) if axes.rank == leading.rank else axes.plain() for axes in inputs)


def merged(module: nn.Module, call: Call) -> Converted:
    """A module that joins the tensors of a call number by number."""
    inputs = aligned(call.inputs)
    leading = max(inputs, key=lambda axes: axes.rank)
    return Converted(module, inputs, leading.shaped(call.output))


@builds("Add", "Subtract", "Multiply", "Maximum", "Minimum")
def merge(call: Call) -> Converted:
    """Tensors that are joined number by number."""
    return merged(Merge(type(call.layer).__name__), call)


@builds("Average")
def average(call: Call) -> Converted:
    """The mean of several tensors."""
    return merged(Average(), call)


@builds("CustomScaleLayer")
def scaled_sum(call: Call) -> Converted:
    """A sum whose second part is scaled."""
    return merged(ScaledSum(float(call.layer.scale)), call)


@builds("Concatenate", "ops.Concatenate")
def concatenate(call: Call) -> Converted:
    """Tensors behind each other along an axis of Keras."""
    leading = call.inputs[0].plain() if call.inputs[0].grid is not None else call.inputs[0]
    if any(axes.rank != leading.rank for axes in call.inputs):
        raise NotConverted("joins tensors with different numbers of axes")
    inputs = tuple(axes.ordered(leading.order) for axes in call.inputs)
    return Converted(Concatenate(leading.dimension(call.layer.axis)), inputs, leading.shaped(call.output))
