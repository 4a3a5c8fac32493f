"""Normalization: by stored statistics, by the data's own, and by constants."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report.models.keras.axes import Axes, Order
from cnnvis_report.models.keras.parameters import constant, parameter, values
from cnnvis_report.models.keras.registry import Call, Converted, NotConverted, builds


class ChannelLayerNorm(nn.Module):
    """A layer norm over the channels of each position."""

    def __init__(self, weight: Tensor | None, bias: Tensor | None, eps: float) -> None:
        super().__init__()
        self.weight = None if weight is None else parameter(weight)
        self.bias = None if bias is None else parameter(bias)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W]."""
        last = functional.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), self.weight, self.bias, self.eps)
        return last.permute(0, 3, 1, 2)


class UnitNorm(nn.Module):
    """Divides by the root of the sum of squares along some dimensions."""

    def __init__(self, dimensions: tuple[int, ...], least: float = 1e-12) -> None:
        super().__init__()
        self.dimensions, self.least = dimensions, least

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape that has these dimensions."""
        return x * x.square().sum(self.dimensions, keepdim=True).clamp(min=self.least).rsqrt()


class Standardize(nn.Module):
    """(x - mean) / deviation by constants."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape that the constants are broadcast over."""
        return (x - self.mean) / self.deviation


class ScaleShift(nn.Module):
    """x times a scale plus an offset, both constants."""

    scale: Tensor
    offset: Tensor

    def __init__(self, scale: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("offset", offset)

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape that the constants are broadcast over."""
        return x * self.scale + self.offset


def single_axis(axis: Any) -> int:
    """The only axis of a layer.

    Raises:
        NotConverted: there are several.
    """
    axes = [axis] if isinstance(axis, int) else list(axis)
    if len(axes) != 1:
        raise NotConverted(f"works along {len(axes)} axes")
    return int(axes[0])


def channels_second(axes: Axes, axis: int) -> Axes:
    """The same tensor with an axis of Keras in dimension 1, where PyTorch has the channels."""
    if axes.grid is not None or axes.dimension(axis) == 1:
        return axes
    axis %= axes.rank
    order: Order = (0, axis, *(other for other in range(1, axes.rank) if other != axis))
    return axes.ordered(order)


def by_feature(vector: Tensor, axes: Axes) -> Tensor:
    """Numbers of Keras's features in the order in which they lie here."""
    if axes.grid is None:
        return vector
    height, width, channels = axes.grid
    return vector.reshape(height, width, channels).permute(2, 0, 1).flatten()


@builds("BatchNormalization")
def batch_normalization(call: Call) -> Converted:
    """A batch norm by its running statistics."""
    layer = call.layer
    axes = channels_second(call.input, single_axis(layer.axis))
    mean, variance = values(layer.moving_mean), values(layer.moving_variance)
    kind = nn.BatchNorm2d if axes.rank == 4 else nn.BatchNorm1d
    if axes.rank not in (2, 3, 4):
        raise NotConverted(f"normalizes a tensor of {axes.rank} axes")
    module = kind(len(mean), eps=float(layer.epsilon), momentum=1 - float(layer.momentum))
    module.running_mean, module.running_var = by_feature(mean, axes), by_feature(variance, axes)
    if layer.scale:
        module.weight = parameter(by_feature(values(layer.gamma), axes))
    if layer.center:
        module.bias = parameter(by_feature(values(layer.beta), axes))
    return Converted(module.eval(), (axes,), axes.shaped(call.output))


@builds("LayerNormalization")
def layer_normalization(call: Call) -> Converted:
    """A layer norm over the last axis of Keras, or over all."""
    layer, axes = call.layer, call.input
    if getattr(layer, "rms_scaling", False):
        raise NotConverted("is a LayerNormalization with rms_scaling")
    normalized = sorted(axis % axes.rank for axis in ([layer.axis] if isinstance(layer.axis, int) else layer.axis))
    weight = values(layer.gamma) if layer.scale else None
    bias = values(layer.beta) if layer.center else None
    eps = float(layer.epsilon)
    if normalized == [axes.rank - 1] and axes.rank == 4 and axes.dimension(-1) == 1:
        return Converted(ChannelLayerNorm(weight, bias, eps), (axes,), axes.shaped(call.output))
    everything = normalized == list(range(1, axes.rank))
    if not everything or axes.grid is not None:
        axes = axes.plain()
    if normalized != list(range(axes.rank - len(normalized), axes.rank)):
        raise NotConverted(f"is a LayerNormalization over the axes {normalized}")
    module = _layer_norm(axes, normalized, eps, weight, bias)
    return Converted(module, (axes,), axes.shaped(call.output))


def _layer_norm(
    axes: Axes, normalized: list[int], eps: float, weight: Tensor | None, bias: Tensor | None
) -> nn.LayerNorm:
    """A layer norm over the last dimensions here, which hold the axes `normalized` of Keras in any order."""
    dimensions = axes.order[axes.rank - len(normalized) :]
    sizes = [axes.shape[axis] for axis in dimensions]
    if None in sizes:
        raise NotConverted("normalizes axes of unknown size")
    order = [normalized.index(axis) for axis in dimensions]
    module = nn.LayerNorm([int(size or 0) for size in sizes], eps)
    if weight is not None:
        module.weight = parameter(weight.permute(order))
    if bias is not None:
        module.bias = parameter(bias.permute(order))
    return module


@builds("GroupNormalization")
def group_normalization(call: Call) -> Converted:
    """A group norm over the channels."""
    layer = call.layer
    axes = channels_second(call.input if call.input.grid is None else call.input.plain(), single_axis(layer.axis))
    channels = axes.size(single_axis(layer.axis))
    if channels is None:
        raise NotConverted("normalizes an unknown number of channels")
    module = nn.GroupNorm(channels if layer.groups == -1 else layer.groups, channels, eps=float(layer.epsilon))
    if layer.scale:
        module.weight = parameter(values(layer.gamma).flatten())
    if layer.center:
        module.bias = parameter(values(layer.beta).flatten())
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("UnitNormalization")
def unit_normalization(call: Call) -> Converted:
    """Division by the length of a vector."""
    axes, axis = call.input, call.layer.axis
    axes = axes if axes.grid is None else axes.plain()
    along = tuple(axes.dimension(entry) for entry in ([axis] if isinstance(axis, int) else axis))
    return Converted(UnitNorm(along), (axes,), axes.shaped(call.output))


@builds("Normalization")
def normalization(call: Call) -> Converted:
    """Standardization by means and variances that were given, or found in training images."""
    layer = call.layer
    if layer.mean is None:
        raise NotConverted("is a Normalization that has seen no images yet")
    axes = call.input if call.input.grid is None else call.input.plain()
    mean = axes.laid_out(values(layer.mean))
    deviation = axes.laid_out(values(layer.variance)).sqrt().clamp(min=1e-7)
    module = ScaleShift(deviation, mean) if layer.invert else Standardize(mean, deviation)
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("Rescaling")
def rescaling(call: Call) -> Converted:
    """A scale and an offset, of one number or one a channel."""
    scale, offset = constant(call.layer.scale), constant(call.layer.offset)
    axes = call.input.plain() if call.input.grid is not None and scale.numel() + offset.numel() > 2 else call.input
    module = ScaleShift(axes.laid_out(scale), axes.laid_out(offset))
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("LayerScale")
def layer_scale(call: Call) -> Converted:
    """One trained factor a channel, as ConvNeXt has it."""
    axes = call.input if call.input.grid is None else call.input.plain()
    gamma = axes.laid_out(values(call.layer.gamma))
    return Converted(ScaleShift(gamma, torch.zeros(())), (axes,), axes.shaped(call.output))
