"""Activations: layers of their own, arguments of other layers, and operations."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.parameters import parameter, values
from cnnvis_report.models.keras.registry import Call, Converted, NotConverted, build, builds, same


class Exponential(nn.Module):
    """e to the power of each number."""

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape."""
        return x.exp()


class ThresholdedReLU(nn.Module):
    """Keras's ReLU with a slope below a threshold and a ceiling."""

    def __init__(self, slope: float, threshold: float, ceiling: float | None) -> None:
        super().__init__()
        self.slope, self.threshold, self.ceiling = slope, threshold, ceiling

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape."""
        raised = torch.where(x >= self.threshold, x, self.slope * (x - self.threshold))
        return raised if self.ceiling is None else raised.clamp(max=self.ceiling)


class PositionalPReLU(nn.Module):
    """A PReLU whose slopes differ by position."""

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.weight = parameter(slopes)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape that the slopes are broadcast over."""
        return x.relu() - self.weight * (-x).relu()


PLAIN: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": partial(nn.LeakyReLU, 0.2),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hard_silu": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "log_sigmoid": nn.LogSigmoid,
    "tanh": nn.Tanh,
    "hard_tanh": nn.Hardtanh,
    "tanh_shrink": nn.Tanhshrink,
    "soft_shrink": nn.Softshrink,
    "hard_shrink": nn.Hardshrink,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "mish": nn.Mish,
    "exponential": Exponential,
}


def activation(function: Any, axes: Axes) -> nn.Module:
    """The activation that is given to a layer as an argument: a function of Keras, or a layer.

    Raises:
        NotConverted: nothing here stands for it.
    """
    if function is None:
        return nn.Identity()
    name = getattr(function, "__name__", "")
    if name in PLAIN:
        return PLAIN[name]()
    if name in ("softmax", "log_softmax"):
        kind = nn.Softmax if name == "softmax" else nn.LogSoftmax
        return kind(dim=axes.dimension(-1))
    if name or not hasattr(function, "get_config"):
        raise NotConverted(f"has the activation {name or type(function).__name__!r}, which isn't converted")
    converted = build(type(function).__name__, Call(function, (axes,), axes.shape))
    if converted.inputs != (axes,) or converted.output != axes:
        raise NotConverted(f"has a {type(function).__name__} as its activation")
    return converted.module


def with_activation(parts: Mapping[str, nn.Module], function: Any, axes: Axes) -> nn.Module:
    """A layer with the activation that it was given; the layer alone where there is none."""
    after = activation(function, axes)
    if not isinstance(after, nn.Identity):
        parts = {**parts, "activation": after}
    return next(iter(parts.values())) if len(parts) == 1 else nn.Sequential(OrderedDict(parts))


@builds("Activation")
def activation_layer(call: Call) -> Converted:
    """Any activation by its name."""
    axes = call.input
    return same(activation(call.layer.activation, axes), axes, call.output)


@builds("ReLU")
def relu(call: Call) -> Converted:
    """A ReLU with a ceiling, a slope and a threshold, which most don't have."""
    layer = call.layer
    slope, threshold, ceiling = float(layer.negative_slope or 0), float(layer.threshold or 0), layer.max_value
    module: nn.Module
    if threshold or (slope and ceiling is not None):
        module = ThresholdedReLU(slope, threshold, None if ceiling is None else float(ceiling))
    elif slope:
        module = nn.LeakyReLU(slope)
    elif ceiling is None:
        module = nn.ReLU()
    else:
        module = nn.ReLU6() if float(ceiling) == 6 else nn.Hardtanh(0.0, float(ceiling))
    return same(module, call.input, call.output)


@builds("LeakyReLU", "ops.LeakyRelu")
def leaky_relu(call: Call) -> Converted:
    """A ReLU with a slope."""
    return same(nn.LeakyReLU(float(call.layer.negative_slope)), call.input, call.output)


@builds("ELU", "ops.Elu")
def elu(call: Call) -> Converted:
    """An exponential linear unit."""
    return same(nn.ELU(float(call.layer.alpha)), call.input, call.output)


@builds("PReLU")
def prelu(call: Call) -> Converted:
    """A ReLU with trained slopes, one a channel or one a position."""
    axes = call.input if call.input.grid is None else call.input.plain()
    slopes = axes.laid_out(values(call.layer.alpha))
    module: nn.Module
    if slopes.numel() == slopes.shape[1]:
        module = nn.PReLU(slopes.shape[1])
        module.weight = parameter(slopes.flatten())
    else:
        module = PositionalPReLU(slopes)
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("Softmax")
def softmax(call: Call) -> Converted:
    """A softmax along one axis."""
    axes = call.input
    if not isinstance(call.layer.axis, int):
        raise NotConverted("is a Softmax along several axes")
    return same(nn.Softmax(dim=axes.dimension(call.layer.axis)), axes, call.output)
